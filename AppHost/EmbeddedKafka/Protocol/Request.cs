namespace Shop.KafkaBroker;

/// <summary>One request under way on a connection: what it asks, and where its answer goes. Reused for the connection's next one.</summary>
internal sealed class Request(Broker broker, string clientHost, CancellationToken disconnected)
{
    public Broker Broker { get; } = broker;

    /// <summary>The client's address as group descriptions show it, such as <c>/127.0.0.1</c>.</summary>
    public string ClientHost { get; } = clientHost;

    /// <summary>Cancelled when the connection or the broker ends.</summary>
    public CancellationToken Disconnected { get; } = disconnected;

    public RequestReader In { get; } = new();

    public ResponseWriter Out { get; } = new();

    public ApiKey Key { get; set; }

    public short Version { get; set; }

    public int CorrelationId { get; set; }

    public string ClientId { get; set; } = "";

    /// <summary>False when the protocol wants no answer: Produce with acks=0.</summary>
    public bool Answered { get; set; }

    /// <summary>Writes the throttle time, always 0, in the versions from <paramref name="since"/> on.</summary>
    public void ThrottleTime(int since)
    {
        if (Version >= since)
            Out.Int32(0);
    }
}
