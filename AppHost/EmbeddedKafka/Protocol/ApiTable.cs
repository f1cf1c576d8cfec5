using System.Collections.Frozen;

namespace Shop.KafkaBroker;

/// <summary>What the broker answers to one kind of request.</summary>
/// <param name="Key">The request.</param>
/// <param name="MinVersion">The lowest version advertised and answered.</param>
/// <param name="MaxVersion">The highest version.</param>
/// <param name="FlexibleFrom">The first version with the compact encoding.</param>
/// <param name="HandleAsync">Reads the request, acts, writes the answer.</param>
/// <param name="MayWait">Whether the answer may be held back, so that earlier ones must be sent first.</param>
internal sealed record Api(ApiKey Key, short MinVersion, short MaxVersion, short FlexibleFrom, Func<Request, ValueTask> HandleAsync, bool MayWait);

/// <summary>
/// The protocol as this broker speaks it. Version 0 is advertised wherever clients look for it: librdkafka before 2.11.1
/// matches exact old versions to decide which features a broker has.
/// </summary>
internal static class ApiTable
{
    private const short Never = short.MaxValue;

    public static FrozenDictionary<ApiKey, Api> Apis { get; } = new[]
    {
        Now(ApiKey.Produce, 8, Produce.Handle),
        Waiting(ApiKey.Fetch, 11, Fetch.HandleAsync),
        Now(ApiKey.ListOffsets, 5, ListOffsets.Handle),
        Now(ApiKey.Metadata, 12, Metadata.Handle, flexibleFrom: 9),
        Now(ApiKey.OffsetCommit, 7, OffsetCommit.Handle),
        Now(ApiKey.OffsetFetch, 5, OffsetFetch.Handle),
        Now(ApiKey.FindCoordinator, 2, FindCoordinator.Handle),
        Waiting(ApiKey.JoinGroup, 5, JoinGroup.HandleAsync),
        Now(ApiKey.Heartbeat, 3, Heartbeat.Handle),
        Now(ApiKey.LeaveGroup, 3, LeaveGroup.Handle),
        Waiting(ApiKey.SyncGroup, 3, SyncGroup.HandleAsync),
        Now(ApiKey.DescribeGroups, 6, DescribeGroups.Handle, flexibleFrom: 5),
        Now(ApiKey.ListGroups, 5, ListGroups.Handle, flexibleFrom: 3),
        Now(ApiKey.ApiVersions, 3, ApiVersions.Handle, flexibleFrom: 3),
        Now(ApiKey.CreateTopics, 4, CreateTopics.Handle),
        Now(ApiKey.DeleteTopics, 3, DeleteTopics.Handle),
        Now(ApiKey.DeleteRecords, 1, DeleteRecords.Handle),
        Now(ApiKey.InitProducerId, 4, InitProducerId.Handle, flexibleFrom: 2),
        Now(ApiKey.OffsetForLeaderEpoch, 3, OffsetForLeaderEpoch.Handle, minVersion: 2),
        Now(ApiKey.DescribeConfigs, 3, DescribeConfigs.Handle),
        Now(ApiKey.AlterConfigs, 1, AlterConfigs.Handle),
        Now(ApiKey.CreatePartitions, 1, CreatePartitions.Handle),
        Now(ApiKey.DeleteGroups, 1, DeleteGroups.Handle),
        Now(ApiKey.IncrementalAlterConfigs, 0, IncrementalAlterConfigs.Handle),
        Now(ApiKey.OffsetDelete, 0, OffsetDelete.Handle),
        Now(ApiKey.DescribeTopicPartitions, 0, DescribeTopicPartitions.Handle, flexibleFrom: 0),
    }.ToFrozenDictionary(api => api.Key);

    private static Api Now(ApiKey key, short maxVersion, Action<Request> handle, short minVersion = 0, short flexibleFrom = Never) =>
        new(key, minVersion, maxVersion, flexibleFrom, request =>
        {
            handle(request);
            return ValueTask.CompletedTask;
        }, MayWait: false);

    private static Api Waiting(ApiKey key, short maxVersion, Func<Request, ValueTask> handleAsync) =>
        new(key, 0, maxVersion, Never, handleAsync, MayWait: true);
}
