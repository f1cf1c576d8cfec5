namespace Shop.KafkaBroker;

/// <summary>CreatePartitions (37): adds partitions to topics.</summary>
internal static class CreatePartitions
{
    public static void Handle(Request request)
    {
        var input = request.In;
        var topics = input.Array(10, static r => (Name: r.String(), Count: r.Int32(),
            Assignments: r.NullableArray(4, static r => r.Array(4, static r => r.Int32()))));
        input.Int32(); // timeout
        var validateOnly = input.Boolean();
        request.Out.Int32(0); // throttle time
        request.Out.Array(topics, (w, topic) =>
        {
            string? message = null;
            var error = StorageErrors.Try(() =>
            {
                (var refused, message) = request.Broker.AddPartitions(topic.Name, topic.Count, validateOnly);
                return refused;
            });
            w.String(topic.Name);
            w.Error(error);
            w.String(message);
        });
    }
}
