namespace Shop.KafkaBroker;

/// <summary>CreateTopics (19): makes topics with their settings. There is one replica, so every replication factor is taken for 1 or refused.</summary>
internal static class CreateTopics
{
    private sealed record Wanted(string Name, int Partitions, short ReplicationFactor, int[] Assigned, (string Name, string? Value)[] Configs);

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var topics = input.Array(16, static r => new Wanted(r.String(), r.Int32(), r.Int16(), r.Array(8, ReadAssignment),
            r.Array(4, static r => (r.String(), r.NullableString()))));
        input.Int32(); // timeout
        var validateOnly = version >= 1 && input.Boolean();

        request.ThrottleTime(since: 2);
        output.Array(topics, (w, wanted) =>
        {
            var (error, message) = Create(request.Broker, wanted, validateOnly);
            w.String(wanted.Name);
            w.Error(error);
            if (version >= 1)
                w.String(message);
        });
    }

    private static int ReadAssignment(RequestReader r)
    {
        var partition = r.Int32();
        r.Array(4, static r => r.Int32()); // replicas: there is only this broker
        return partition;
    }

    private static (ErrorCode, string?) Create(Broker broker, Wanted wanted, bool validateOnly)
    {
        if (wanted.ReplicationFactor is not (-1 or 1))
            return (ErrorCode.InvalidReplicationFactor, "Unable to replicate the partition "
                + $"{wanted.ReplicationFactor} time(s): The target replication factor of {wanted.ReplicationFactor} cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.");
        var values = new Dictionary<string, string>();
        foreach (var (name, value) in wanted.Configs)
        {
            if (TopicConfig.Refuse(name, value) is { } reason)
                return (ErrorCode.InvalidConfig, reason);
            values[name] = value!;
        }
        return broker.CreateTopic(wanted.Name, wanted.Assigned.Length > 0 ? wanted.Assigned.Length : wanted.Partitions, values, validateOnly);
    }
}
