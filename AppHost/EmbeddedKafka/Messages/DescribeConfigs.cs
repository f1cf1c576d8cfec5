namespace Shop.KafkaBroker;

/// <summary>DescribeConfigs (32): the settings of topics; a broker's are the defaults it was started with.</summary>
internal static class DescribeConfigs
{
    private const sbyte TopicSource = 1;
    private const sbyte ClusterSource = 3;
    private const sbyte BrokerSource = 4;
    private const sbyte DefaultSource = 5;

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
            w.Array(topic is null ? [] : TopicConfig.Settings.Where(setting => resource.Keys?.Contains(setting.Name) ?? true).ToList(),
                (w, setting) => Write(w, version, topic!.Config, setting, request.Broker.Options.TopicDefaults.ContainsKey(setting.Name), synonyms));
        });
    }

    private static void Write(ResponseWriter w, short version, TopicConfig config, TopicSetting setting, bool brokerDefault, bool synonyms)
    {
        var source = config.Values.ContainsKey(setting.Name) ? TopicSource
            : setting.SetForCluster ? ClusterSource
            : brokerDefault ? BrokerSource
            : DefaultSource;
        w.String(setting.Name);
        w.String(config[setting.Name]);
        w.Boolean(false); // read-only
        if (version == 0)
            w.Boolean(source != TopicSource); // is the default
        else
            w.Int8(source);
        w.Boolean(false); // sensitive
        if (version >= 1)
            w.Array(synonyms ? Synonyms(config, setting, brokerDefault) : [], static (w, synonym) =>
            {
                w.String(synonym.Name);
                w.String(synonym.Value);
                w.Int8(synonym.Source);
            });
        if (version >= 3)
        {
            w.Int8(setting.Type);
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
