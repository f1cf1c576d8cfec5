namespace Shop.KafkaBroker;

/// <summary>DescribeConfigs (32): the settings of topics; a broker's are the defaults it was started with.</summary>
internal static class DescribeConfigs
{
    private const sbyte TopicSource = 1;
    private const sbyte BrokerSource = 4;
    private const sbyte DefaultSource = 5;

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var resources = input.Array(7, static r => (Type: (ConfigResource)r.Int8(), Name: r.String(), Keys: r.NullableArray(2, static r => r.String())));
        if (version >= 1)
            input.Boolean(); // include synonyms: there are none
        if (version >= 3)
            input.Boolean(); // include documentation
        output.Int32(0); // throttle time
        output.Array(resources, (w, resource) =>
        {
            var topic = resource.Type == ConfigResource.Topic ? request.Broker.FindTopic(resource.Name) : null;
            var error = resource.Type switch
            {
                ConfigResource.Topic => topic is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.None,
                ConfigResource.Broker => ErrorCode.None,
                _ => ErrorCode.InvalidRequest,
            };
            w.Error(error);
            w.String(error == ErrorCode.None ? null : $"There is no {resource.Type} {resource.Name}.");
            w.Int8((sbyte)resource.Type);
            w.String(resource.Name);
            w.Array(topic is null ? [] : TopicConfig.Settings.Where(setting => resource.Keys?.Contains(setting.Name) ?? true).ToList(),
                (w, setting) => Write(w, version, topic!.Config, setting, request.Broker.Options.TopicDefaults.ContainsKey(setting.Name)));
        });
    }

    private static void Write(ResponseWriter w, short version, TopicConfig config, TopicSetting setting, bool brokerDefault)
    {
        var source = config.Values.ContainsKey(setting.Name) ? TopicSource : brokerDefault ? BrokerSource : DefaultSource;
        w.String(setting.Name);
        w.String(config[setting.Name]);
        w.Boolean(false); // read-only
        if (version == 0)
            w.Boolean(source != TopicSource); // is the default
        else
            w.Int8(source);
        w.Boolean(false); // sensitive
        if (version >= 1)
            w.ArrayLength(0); // synonyms
        if (version >= 3)
        {
            w.Int8(setting.Type);
            w.String(null); // documentation
        }
    }
}
