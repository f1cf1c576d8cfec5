namespace Shop.Activity.ReadingEvents;

/// <summary>
/// The order in which an order's events happened. Each service stamps its events with a clock of its own, so time alone may put an
/// effect before its cause.
/// </summary>
internal static class Timeline
{
    /// <summary>
    /// Sorts by time, but never an event before the one that caused it, nor before one that lies ahead of it in the same partition.
    /// </summary>
    /// <remarks>
    /// Kahn's topological sort (Communications of the ACM 5, 1962) that always takes the earliest event that is free; equal times keep
    /// the order given. Events that claim to be each other's cause come by time.
    /// </remarks>
    public static IReadOnlyList<TimelineEvent> Sort(IReadOnlyList<TimelineEvent> events)
    {
        var byTime = events.OrderBy(e => e.At).ToArray();
        var effects = new List<int>[byTime.Length];
        var causes = new int[byTime.Length];
        for (var i = 0; i < byTime.Length; i++)
            effects[i] = [];
        foreach (var (cause, effect) in Pairs(byTime))
        {
            effects[cause].Add(effect);
            causes[effect]++;
        }

        var sorted = new List<TimelineEvent>(byTime.Length);
        var free = new PriorityQueue<int, int>(Enumerable.Range(0, byTime.Length).Where(i => causes[i] == 0).Select(i => (i, i)));
        var taken = new bool[byTime.Length];
        var earliest = 0;
        while (sorted.Count < byTime.Length)
        {
            if (!free.TryDequeue(out var next, out _))
            {
                // only a circle is left: the earliest breaks it
                while (taken[earliest])
                    earliest++;
                next = earliest;
            }
            taken[next] = true;
            sorted.Add(byTime[next]);
            foreach (var effect in effects[next])
            {
                if (--causes[effect] == 0 && !taken[effect])
                    free.Enqueue(effect, effect);
            }
        }
        return sorted;
    }

    /// <summary>Tells of each event of a sorted timeline what caused it, and how long the step took.</summary>
    public static IReadOnlyList<TimelineEvent> WithSteps(IReadOnlyList<TimelineEvent> sorted)
    {
        var result = new List<TimelineEvent>(sorted.Count);
        var earlier = new Dictionary<Guid, TimelineEvent>(sorted.Count);
        foreach (var e in sorted)
        {
            var cause = e.CausationId is { } id ? earlier.GetValueOrDefault(id) : null;
            var before = cause ?? (result.Count > 0 ? result[^1] : null);
            result.Add(e with { CausedBy = cause?.Type, TookMs = before is null ? null : Math.Max(0, (e.At - before.At).TotalMilliseconds) });
            earlier.TryAdd(e.Id, e);
        }
        return result;
    }

    /// <summary>Who must come before whom, as indexes.</summary>
    private static IEnumerable<(int Cause, int Effect)> Pairs(TimelineEvent[] events)
    {
        var indexes = new Dictionary<Guid, int>(events.Length);
        for (var i = 0; i < events.Length; i++)
            indexes.TryAdd(events[i].Id, i);
        for (var i = 0; i < events.Length; i++)
        {
            if (events[i].CausationId is { } id && indexes.TryGetValue(id, out var cause) && cause != i)
                yield return (cause, i);
        }
        foreach (var log in Enumerable.Range(0, events.Length).GroupBy(i => (events[i].Topic, events[i].Partition)))
        {
            var inLog = log.OrderBy(i => events[i].Offset).ToArray();
            foreach (var pair in inLog.Zip(inLog.Skip(1)))
                yield return pair;
        }
    }
}
