using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>A partition, with the rows that wait to be a file.</summary>
internal sealed class PartitionWriter(string topic, int partition, long next, DateTimeOffset hour)
{
    public string Topic { get; } = topic;

    public int Partition { get; } = partition;

    /// <summary>The rows that wait; others are being written meanwhile.</summary>
    public RowBuffer Rows { get; private set; } = new(WarehouseTable.Of(topic));

    public long First { get; set; } = next;

    public long Next { get; set; } = next;

    public DateTimeOffset Hour { get; set; } = hour;

    public long BeganAt { get; set; }

    /// <summary>When its topic was first seen to end within the file that somebody has begun here; null where it was not.</summary>
    public long? EndedAt { get; set; }

    /// <summary>Where the file before ended.</summary>
    public long Begin { get; set; } = next;

    /// <summary>The file that somebody has begun here: it ends where they ended it, whatever its age and size.</summary>
    public WarehouseFile? Begun { get; set; }

    /// <summary>The writing of the rows before.</summary>
    public Task Writing { get; set; } = Task.CompletedTask;

    /// <summary>Hands the rows over to be written.</summary>
    public RowBuffer TakeRows()
    {
        var rows = Rows;
        Rows = new(WarehouseTable.Of(Topic));
        return rows;
    }
}
