namespace Shop.KafkaBroker;

/// <summary>FindCoordinator (10): this broker coordinates every group.</summary>
internal static class FindCoordinator
{
    private const sbyte GroupKey = 0;

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        input.String();
        var supported = version == 0 || input.Int8() == GroupKey;
        request.ThrottleTime(since: 1);
        output.Error(supported ? ErrorCode.None : ErrorCode.InvalidRequest);
        if (version >= 1)
            output.String(supported ? null : "EmbeddedKafka has no transactions.");
        output.Int32(supported ? Broker.NodeId : -1);
        output.String(supported ? request.Broker.Options.AdvertisedHost : "");
        output.Int32(supported ? request.Broker.Port : -1);
    }
}
