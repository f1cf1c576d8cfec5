using System.Runtime.InteropServices;

namespace Shop.KafkaBroker;

/// <summary>A batch that an idempotent producer had appended, to be recognised when it is sent again.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ProducedBatch(int FirstSequence, int LastSequence, long BaseOffset);

/// <summary>
/// What a partition remembers of its idempotent producers: the last five batches of each (KIP-98; five is the most that
/// a producer may have in flight), so that a repeat is answered with its first offset instead of being appended again.
/// </summary>
internal sealed class ProducerStates
{
    private const int Remembered = 5;

    /// <summary>The most producers a partition remembers; those seen least lately go first.</summary>
    private const int MaxProducers = 10_000;

    private readonly Dictionary<long, Producer> _producers = [];

    /// <summary>Decides about a batch: append it, refuse it, or answer with the offset it already has.</summary>
    public ErrorCode Check(ReadOnlySpan<byte> batch, out long? duplicateOf)
    {
        duplicateOf = null;
        if (!_producers.TryGetValue(RecordBatch.ProducerId(batch), out var producer))
            return ErrorCode.None; // never seen, or forgotten for idleness: it may start anywhere
        var epoch = RecordBatch.ProducerEpoch(batch);
        var first = RecordBatch.BaseSequence(batch);
        if (epoch < producer.Epoch)
            return ErrorCode.InvalidProducerEpoch;
        if (epoch > producer.Epoch)
            return first == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
        var last = Add(first, RecordBatch.LastOffsetDelta(batch));
        foreach (var known in producer.Batches)
        {
            if (known.FirstSequence != first || known.LastSequence != last)
                continue;
            duplicateOf = known.BaseOffset;
            return ErrorCode.None;
        }
        return first == Add(producer.Batches[^1].LastSequence, 1) ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
    }

    /// <summary>Remembers an appended batch.</summary>
    /// <param name="batch">The batch, with its base offset in place.</param>
    /// <param name="now">The present, in milliseconds since 1970.</param>
    public void Appended(ReadOnlySpan<byte> batch, long now)
    {
        var id = RecordBatch.ProducerId(batch);
        if (id < 0)
            return;
        if (_producers.Count >= MaxProducers)
            Expire(_producers.Values.Select(each => each.LastSeen).Order().ElementAt(MaxProducers / 2) + 1);
        var epoch = RecordBatch.ProducerEpoch(batch);
        ref var producer = ref CollectionsMarshal.GetValueRefOrAddDefault(_producers, id, out _);
        if (producer is null || producer.Epoch != epoch)
            producer = new Producer { Epoch = epoch };
        if (producer.Batches.Count == Remembered)
            producer.Batches.RemoveAt(0);
        var first = RecordBatch.BaseSequence(batch);
        producer.Batches.Add(new(first, Add(first, RecordBatch.LastOffsetDelta(batch)), RecordBatch.BaseOffset(batch)));
        producer.LastSeen = now;
    }

    /// <summary>Forgets producers idle since before <paramref name="before"/>, in milliseconds since 1970.</summary>
    public void Expire(long before)
    {
        foreach (var (id, producer) in _producers)
        {
            if (producer.LastSeen < before)
                _producers.Remove(id);
        }
    }

    public void Clear() => _producers.Clear();

    public void Write(ResponseWriter output) => output.Array(_producers, static (w, pair) =>
    {
        w.Int64(pair.Key);
        w.Int16(pair.Value.Epoch);
        w.Int64(pair.Value.LastSeen);
        w.Array(pair.Value.Batches, static (w, batch) =>
        {
            w.Int32(batch.FirstSequence);
            w.Int32(batch.LastSequence);
            w.Int64(batch.BaseOffset);
        });
    });

    public void Read(RequestReader input)
    {
        _producers.Clear();
        foreach (var (id, producer) in input.Array(22, static r => (r.Int64(), new Producer
        {
            Epoch = r.Int16(),
            LastSeen = r.Int64(),
            Batches = [.. r.Array(16, static r => new ProducedBatch(r.Int32(), r.Int32(), r.Int64()))],
        })))
            _producers[id] = producer;
    }

    /// <summary>Sequences wrap from the largest integer to 0.</summary>
    private static int Add(int sequence, int count) => (int)((uint)(sequence + count) & int.MaxValue);

    private sealed class Producer
    {
        public required short Epoch { get; init; }

        public long LastSeen { get; set; }

        public List<ProducedBatch> Batches { get; init; } = [];
    }
}
