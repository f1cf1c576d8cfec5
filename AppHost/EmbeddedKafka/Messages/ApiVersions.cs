namespace Shop.KafkaBroker;

/// <summary>ApiVersions (18): which requests are answered, in which versions. The first thing a client asks.</summary>
internal static class ApiVersions
{
    public static void Handle(Request request)
    {
        var (input, output) = (request.In, request.Out);
        if (request.Version >= 3)
        {
            input.String(); // the client's name and version
            input.String();
            input.TaggedFields();
        }
        output.Error(ErrorCode.None);
        WriteApis(output, ApiTable.Apis.Values);
        request.ThrottleTime(since: 1);
        output.TaggedFields();
    }

    /// <summary>A client newer than this broker asked in a version unknown here: answered in version 0, so that it can ask again (KIP-511).</summary>
    public static void HandleUnknownVersion(Request request)
    {
        request.Out.Flexible = false;
        request.Out.Error(ErrorCode.UnsupportedVersion);
        WriteApis(request.Out, [ApiTable.Apis[ApiKey.ApiVersions]]);
    }

    private static void WriteApis(ResponseWriter output, IReadOnlyCollection<Api> apis) => output.Array(apis, static (w, api) =>
    {
        w.Int16((short)api.Key);
        w.Int16(api.MinVersion);
        w.Int16(api.MaxVersion);
        w.TaggedFields();
    });
}
