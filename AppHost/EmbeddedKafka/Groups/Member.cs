namespace Shop.KafkaBroker;

/// <summary>One protocol (assignor) that a member offers, with the member's subscription in that protocol's own encoding.</summary>
internal sealed record GroupProtocol(string Name, byte[] Metadata);

/// <summary>A request to join a group.</summary>
internal sealed record JoinRequest(string MemberId, string? InstanceId, string ClientId, string ClientHost, int SessionTimeout, int RebalanceTimeout,
    string ProtocolType, IReadOnlyList<GroupProtocol> Protocols, bool NeedsKnownId);

/// <summary>A member as the group's leader sees it when it joins.</summary>
internal sealed record JoinedMember(string Id, string? InstanceId, byte[] Metadata);

/// <summary>The answer to a <see cref="JoinRequest"/>.</summary>
internal sealed record JoinResult(ErrorCode Error, string MemberId, int Generation = -1, string Protocol = "", string Leader = "",
    IReadOnlyList<JoinedMember>? Members = null);

/// <summary>The answer to a SyncGroup request.</summary>
internal sealed record SyncResult(ErrorCode Error, byte[] Assignment);

/// <summary>A consumer in a group. Guarded by its group's lock.</summary>
internal sealed class Member(string id, JoinRequest request)
{
    public string Id { get; } = id;

    public string? InstanceId { get; } = request.InstanceId;

    public string ClientId { get; } = request.ClientId;

    public string ClientHost { get; } = request.ClientHost;

    /// <summary>Milliseconds without a sign of life after which the member is removed.</summary>
    public int SessionTimeout { get; set; } = request.SessionTimeout;

    /// <summary>Milliseconds the member may take to rejoin when the group rebalances.</summary>
    public int RebalanceTimeout { get; set; } = request.RebalanceTimeout;

    public IReadOnlyList<GroupProtocol> Protocols { get; set; } = request.Protocols;

    public byte[] Assignment { get; set; } = [];

    /// <summary>When the session expires, in milliseconds of the coordinator's clock; not looked at while the member waits in a request.</summary>
    public long SessionDeadline { get; set; }

    /// <summary>Whether the member fetched its assignment of this generation.</summary>
    public bool Synced { get; set; }

    /// <summary>The JoinGroup request that waits for the others.</summary>
    public TaskCompletionSource<JoinResult>? Joining { get; set; }

    /// <summary>The SyncGroup request that waits for the leader.</summary>
    public TaskCompletionSource<SyncResult>? Syncing { get; set; }

    public byte[] MetadataFor(string protocol) => Protocols.FirstOrDefault(offered => offered.Name == protocol)?.Metadata ?? [];

    public bool Offers(IReadOnlyList<GroupProtocol> protocols) => Protocols.Count == protocols.Count
        && Protocols.Zip(protocols).All(pair => pair.First.Name == pair.Second.Name && pair.First.Metadata.AsSpan().SequenceEqual(pair.Second.Metadata));

    /// <summary>Answers the waiting join.</summary>
    public void Joined(JoinResult result)
    {
        Joining?.TrySetResult(result);
        Joining = null;
    }

    /// <summary>Answers the waiting sync.</summary>
    public void SyncDone(SyncResult result)
    {
        Syncing?.TrySetResult(result);
        Syncing = null;
    }
}
