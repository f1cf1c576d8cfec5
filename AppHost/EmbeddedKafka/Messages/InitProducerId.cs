namespace Shop.KafkaBroker;

/// <summary>InitProducerId (22): an id for an idempotent producer. Transactional ids are refused: there are no transactions.</summary>
internal static class InitProducerId
{
    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        var transactional = input.NullableString() is not null;
        input.Int32(); // transaction timeout
        var producerId = version >= 3 ? input.Int64() : -1;
        var epoch = version >= 3 ? input.Int16() : (short)-1;
        input.TaggedFields();

        var error = transactional ? ErrorCode.InvalidRequest : ErrorCode.None;
        if (error != ErrorCode.None)
            (producerId, epoch) = (-1, -1);
        else if (producerId >= 0 && epoch is >= 0 and < short.MaxValue)
            epoch++; // the producer lost count of its sequences and starts them anew (KIP-360)
        else
            (producerId, epoch, error) = NewId(request.Broker);
        output.Int32(0); // throttle time
        output.Error(error);
        output.Int64(producerId);
        output.Int16(epoch);
        output.TaggedFields();
    }

    private static (long, short, ErrorCode) NewId(Broker broker)
    {
        try
        {
            return (broker.NextProducerId(), 0, ErrorCode.None);
        }
        catch (IOException)
        {
            return (-1, -1, ErrorCode.CoordinatorLoadInProgress); // clients try again
        }
    }
}
