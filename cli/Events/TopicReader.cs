using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Messaging.Kafka;

namespace Shop.Cli.Events;

/// <summary>Reads topics as they are, without a consumer group: nothing that services do is disturbed.</summary>
/// <remarks>One thread uses it.</remarks>
internal sealed class TopicReader : IDisposable
{
    /// <summary>How long Kafka may take to answer, and for how long it may be away while what is there is read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>For how long an address is tried where nobody listens: a name may have more than one.</summary>
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long a record waits for others that happened before it and come a little later.</summary>
    private static readonly TimeSpan HoldBack = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200), AnswerTime = TimeSpan.FromSeconds(1), LookInterval = TimeSpan.FromSeconds(5);

    /// <summary>How many records of a partition are kept while others are waited for, before it is paused, and when it goes on.</summary>
    private const int PausedAbove = 20_000, ResumedBelow = 5_000;

    private readonly bool _follow;
    private readonly Action<string> _notice;
    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly IAdminClient _admin;
    private readonly TimeOrder _order = new();
    private readonly Dictionary<TopicPartition, long> _ends = [];
    private readonly HashSet<TopicPartition> _paused = [];
    private readonly Stopwatch _sinceProgress = Stopwatch.StartNew(), _sinceLook = Stopwatch.StartNew();
    private string? _lastError;
    private bool _isAway, _saidAway;

    /// <param name="connection">How to reach Kafka.</param>
    /// <param name="follow">Whether what comes later is wanted as well.</param>
    /// <param name="notice">Told what a person should know.</param>
    public TopicReader(KafkaConnection connection, bool follow, Action<string> notice)
    {
        _follow = follow;
        _notice = notice;
        var config = connection.Consumer("shop-events", "shop-events", instanceName: null);
        config.EnableAutoCommit = false;
        config.EnablePartitionEof = true;
        _consumer = new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!)
            .SetErrorHandler((_, error) => OnError(error))
            .SetLogHandler((_, _) => { }) // what matters comes as an error
            .Build();
        _admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
    }

    /// <summary>The partitions that are there; Kafka's own topics' are left out.</summary>
    /// <exception cref="CommandFailedException">Kafka does not answer.</exception>
    public IReadOnlyList<TopicPartition> Partitions(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var partitions = Partitions().ToList();
                _isAway = false;
                return partitions;
            }
            catch (KafkaException e)
            {
                _consumer.Consume(TimeSpan.Zero); // this is where errors are told
                if (watch.Elapsed > (_isAway ? ConnectPatience : Patience))
                    throw NoAnswer(e.Error.Reason);
            }
        }
    }

    /// <summary>Begins with these partitions.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="last">How many of the newest records of each are wanted; null for all.</param>
    /// <exception cref="KafkaException">Kafka does not tell where they begin and end.</exception>
    public async Task BeginAsync(IReadOnlyCollection<TopicPartition> partitions, int? last)
    {
        if (partitions.Count == 0)
            return;
        var begins = OffsetsAsync(partitions, OffsetSpec.Earliest());
        var ends = await OffsetsAsync(partitions, OffsetSpec.Latest());
        var starts = await begins;
        foreach (var (partition, end) in ends)
        {
            starts[partition] = Math.Max(starts[partition], end - (last ?? end));
            _ends[partition] = end;
            _order.Begin(partition, hasRecords: starts[partition] < end);
        }
        _consumer.IncrementalAssign(starts.Select(start => new TopicPartitionOffset(start.Key, start.Value)));
    }

    /// <summary>Whether all has been read that was there when the partitions were begun.</summary>
    public bool IsComplete => _order.IsComplete;

    /// <summary>Whether no record has been found.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Reads on, for a moment.</summary>
    /// <returns>The records that can be told in their order; none where none came, or others are waited for.</returns>
    /// <exception cref="CommandFailedException">What was there does not come.</exception>
    public IEnumerable<EventRecord> Read()
    {
        var came = Take(PollInterval);
        for (var watch = Stopwatch.StartNew(); came && !IsComplete && watch.Elapsed < HoldBack;)
            Take(HoldBack - watch.Elapsed);
        if (came)
            _sinceProgress.Restart();
        else if (!_follow && _sinceProgress.Elapsed > Patience)
            throw NoAnswer("no records come");

        while (_order.TryTake(out var record, out var left))
        {
            if (left == ResumedBelow && _paused.Remove(new(record.Topic, record.Partition)))
                _consumer.Resume([new(record.Topic, record.Partition)]);
            yield return record;
        }
    }

    /// <summary>Looks whether Kafka is there, when it was away, and for partitions that have been added: they are read from their beginning.</summary>
    /// <param name="wanted">Chooses among all.</param>
    public async Task LookAroundAsync(Func<TopicPartition, bool> wanted)
    {
        if (_sinceLook.Elapsed < (_isAway ? PollInterval : LookInterval))
            return;
        _sinceLook.Restart();
        try
        {
            var partitions = Partitions();
            if (_saidAway)
                _notice("Kafka is back.");
            _isAway = _saidAway = false;
            await BeginAsync([.. partitions.Where(partition => wanted(partition) && !_ends.ContainsKey(partition))], last: null);
        }
        catch (KafkaException)
        {
            if (_isAway && !_saidAway)
                _notice($"Kafka is away: {_lastError}. Waiting for it.");
            _saidAway = _isAway;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _admin.Dispose();
        _consumer.Dispose();
    }

    private IEnumerable<TopicPartition> Partitions() => _admin.GetMetadata(AnswerTime).Topics
        .Where(topic => !topic.Error.IsError && !topic.Topic.StartsWith("__", StringComparison.Ordinal))
        .SelectMany(topic => topic.Partitions, (topic, partition) => new TopicPartition(topic.Topic, partition.PartitionId));

    private bool Take(TimeSpan timeout)
    {
        try
        {
            if (_consumer.Consume(timeout) is not { } result)
                return false;
            var partition = result.TopicPartition;
            var isBeyond = result.Offset >= _ends[partition];
            IsEmpty &= result.IsPartitionEOF;
            if (!result.IsPartitionEOF && (_follow || !isBeyond) && _order.Add(EventRecord.From(result)) == PausedAbove && _paused.Add(partition))
                _consumer.Pause([partition]);
            if (result.IsPartitionEOF || result.Offset + 1 >= _ends[partition])
                _order.End(partition);
            return true;
        }
        catch (ConsumeException e)
        {
            if (_lastError != e.Error.Reason)
                _notice($"Kafka: {e.Error.Reason}");
            _lastError = e.Error.Reason;
            return false;
        }
    }

    private void OnError(Error error)
    {
        if (error.Code == ErrorCode.Local_AllBrokersDown)
            _isAway = true; // it says how many, and the error before it says why
        else
            _lastError = error.Reason;
    }

    private CommandFailedException NoAnswer(string reason) => new($"Kafka does not answer: {_lastError ?? reason}");

    private async Task<Dictionary<TopicPartition, long>> OffsetsAsync(IEnumerable<TopicPartition> partitions, OffsetSpec spec)
    {
        var answer = await _admin.ListOffsetsAsync(partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = spec }),
            new() { RequestTimeout = Patience });
        return answer.ResultInfos.ToDictionary(info => info.TopicPartitionOffsetError.TopicPartition, info => info.TopicPartitionOffsetError.Offset.Value);
    }
}
