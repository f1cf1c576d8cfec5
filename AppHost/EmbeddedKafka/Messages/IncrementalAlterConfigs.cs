namespace Shop.KafkaBroker;

/// <summary>IncrementalAlterConfigs (44): sets, deletes, or extends single settings of topics (KIP-339).</summary>
internal static class IncrementalAlterConfigs
{
    private const sbyte Delete = 1;
    private const sbyte Append = 2;
    private const sbyte Subtract = 3;

    public static void Handle(Request request)
    {
        var resources = request.In.Array(7, static r => (Type: (ConfigResourceType)r.Int8(), Name: r.String(),
            Changes: r.Array(5, static r => (Name: r.String(), Operation: r.Int8(), Value: r.NullableString() ?? ""))));
        var validateOnly = request.In.Boolean();
        request.Out.Int32(0); // throttle time
        request.Out.Array(resources, (w, resource) => Write(w, request.Broker, resource.Type, resource.Name, validateOnly, (config, values) =>
        {
            foreach (var (name, operation, value) in resource.Changes)
                Change(config, values, name, operation, value);
        }));
    }

    /// <summary>Makes one resource's changes and writes the answer for it.</summary>
    public static void Write(ResponseWriter w, Broker broker, ConfigResourceType type, string name, bool validateOnly,
        Action<TopicConfig, Dictionary<string, string>> change)
    {
        var topic = type == ConfigResourceType.Topic ? broker.FindTopic(name) : null;
        string? message = null;
        var error = topic is not null ? StorageErrors.Try(() => Apply(broker, topic, validateOnly, change, out message))
            : type == ConfigResourceType.Topic ? ErrorCode.UnknownTopicOrPartition
            : ErrorCode.InvalidRequest;
        w.Error(error);
        w.String(error == ErrorCode.InvalidRequest ? "Only topics' settings can be changed." : message);
        w.Int8((sbyte)type);
        w.String(name);
    }

    private static ErrorCode Apply(Broker broker, Topic topic, bool validateOnly, Action<TopicConfig, Dictionary<string, string>> change, out string? message)
    {
        (var error, message) = broker.Locked<(ErrorCode, string?)>(() => // two changes at a time must not undo each other
        {
            var values = new Dictionary<string, string>(topic.Config.Values);
            change(topic.Config, values);
            if (values.Select(pair => TopicConfig.Refuse(pair.Key, pair.Value)).FirstOrDefault(reason => reason is not null) is { } reason)
                return (ErrorCode.InvalidConfig, reason);
            if (!validateOnly)
                broker.Configure(topic, values);
            return (ErrorCode.None, null);
        });
        return error;
    }

    private static void Change(TopicConfig config, Dictionary<string, string> values, string name, sbyte operation, string value)
    {
        var list = TopicConfig.Refuse(name, "") is { } reason && reason.StartsWith("Unknown", StringComparison.Ordinal)
            ? [] : config[name].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var named = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        switch (operation)
        {
            case Delete:
                values.Remove(name);
                break;
            case Append:
                values[name] = string.Join(',', list.Union(named));
                break;
            case Subtract:
                values[name] = string.Join(',', list.Except(named));
                break;
            default:
                values[name] = value;
                break;
        }
    }
}
