namespace Shop.KafkaBroker;

/// <summary>DescribeConfigs (32): the settings of topics; a broker's are the defaults it was started with.</summary>
internal static class DescribeConfigs
{
    private const sbyte TopicSource = 1;
    private const sbyte ClusterSource = 3;
    private const sbyte BrokerSource = 4;
    private const sbyte DefaultSource = 5;
    private const sbyte StringType = 2;

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var resources = input.Array(7, static r => (Type: (ConfigResourceType)r.Int8(), Name: r.String(), Keys: r.NullableArray(2, static r => r.String())));
        var synonyms = version >= 1 && input.Boolean();
        if (version >= 3)
            input.Boolean(); // include documentation
        output.Int32(0); // throttle time
        output.Array(resources, (w, resource) =>
        {
            var topic = resource.Type == ConfigResourceType.Topic ? request.Broker.FindTopic(resource.Name) : null;
            var error = resource.Type switch
            {
                ConfigResourceType.Topic => topic is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None,
                ConfigResourceType.Broker => ErrorCode.None,
                _ => ErrorCode.InvalidRequest,
            };
            w.Error(error);
            w.String(error == ErrorCode.None ? null : $"There is no {resource.Type} {resource.Name}.");
            w.Int8((sbyte)resource.Type);
            w.String(resource.Name);
            if (topic is not null)
            {
                w.Array(TopicConfig.Settings.Where(setting => resource.Keys?.Contains(setting.Name) ?? true).ToList(),
                    (w, setting) => Write(w, version, topic.Config, setting, request.Broker.Options.TopicDefaults.ContainsKey(setting.Name), synonyms));
                return;
            }
            w.Array(error == ErrorCode.None ? BrokerSettings(request.Broker.Options).Where(setting => resource.Keys?.Contains(setting.Name) ?? true).ToList() : [],
                (w, setting) => Write(w, version, setting.Name, setting.Value, readOnly: true, BrokerSource, StringType, []));
        });
    }

    /// <summary>What tools look for in a broker's settings; they are given when it starts, and fixed.</summary>
    private static List<(string Name, string Value)> BrokerSettings(EmbeddedKafkaOptions options) =>
    [
        ("broker.id", $"{Broker.NodeId}"),
        ("auto.create.topics.enable", options.AutoCreateTopics ? "true" : "false"),
        ("default.replication.factor", "1"),
        ("group.max.session.timeout.ms", $"{options.MaxSessionTimeout.TotalMilliseconds}"),
        ("group.max.size", $"{options.MaxGroupSize}"),
        ("group.min.session.timeout.ms", $"{options.MinSessionTimeout.TotalMilliseconds}"),
        ("num.partitions", $"{options.DefaultPartitions}"),
        ("offsets.retention.minutes", $"{options.OffsetsRetention.TotalMinutes}"),
        ("producer.id.expiration.ms", $"{options.ProducerExpiration.TotalMilliseconds}"),
        ("socket.request.max.bytes", $"{options.MaxRequestBytes}"),
    ];

    private static void Write(ResponseWriter w, short version, TopicConfig config, TopicSetting setting, bool brokerDefault, bool synonyms)
    {
        var source = config.Values.ContainsKey(setting.Name) ? TopicSource
            : setting.SetForCluster ? ClusterSource
            : brokerDefault ? BrokerSource
            : DefaultSource;
        Write(w, version, setting.Name, config[setting.Name], readOnly: false, source, setting.Type, synonyms ? Synonyms(config, setting, brokerDefault) : []);
    }

    private static void Write(ResponseWriter w, short version, string name, string value, bool readOnly, sbyte source, sbyte type,
        List<(string Name, string Value, sbyte Source)> synonyms)
    {
        w.String(name);
        w.String(value);
        w.Boolean(readOnly);
        if (version == 0)
            w.Boolean(source != TopicSource); // is the default
        else
            w.Int8(source);
        w.Boolean(false); // sensitive
        if (version >= 1)
        {
            w.Array(synonyms, static (w, synonym) =>
            {
                w.String(synonym.Name);
                w.String(synonym.Value);
                w.Int8(synonym.Source);
            });
        }
        if (version >= 3)
        {
            w.Int8(type);
            w.String(null); // documentation
        }
    }

    /// <summary>Where a value may come from, the first that applies first.</summary>
    private static List<(string Name, string Value, sbyte Source)> Synonyms(TopicConfig config, TopicSetting setting, bool brokerDefault)
    {
        var synonyms = new List<(string, string, sbyte)>();
        if (config.Values.TryGetValue(setting.Name, out var value))
            synonyms.Add((setting.Name, value, TopicSource));
        if (setting.SetForCluster)
            synonyms.Add((setting.BrokerName ?? setting.Name, config.Default(setting.Name), ClusterSource));
        if (brokerDefault)
            synonyms.Add((setting.BrokerName ?? setting.Name, config.Default(setting.Name), BrokerSource));
        if (setting.BrokerName is not null)
            synonyms.Add((setting.BrokerName, setting.Default, DefaultSource));
        return synonyms;
    }
}
