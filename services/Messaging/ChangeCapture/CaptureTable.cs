using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.ChangeCapture;

/// <summary>What is known of slots: of which a snapshot was published, and which hold back too much; the table <c>change_captures</c>.</summary>
public static class CaptureTable
{
    private sealed record ChangeCapturesTable(string Slot, DateTimeOffset? SnapshotAt, Guid? Alarm);

    /// <summary>Adds it to the model of a service that captures changes.</summary>
    public static void AddChangeCapture(this ModelBuilder model) => model.Entity<ChangeCapturesTable>().ToTable("change_captures").HasKey(capture => capture.Slot);

    /// <summary>Whether the slot is there, goes on from a snapshot that was published, and has lost nothing since.</summary>
    internal static async Task<SlotState> StateAsync(NpgsqlDataSource dataSource, string slot, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            SELECT s.wal_status, s.active, c.snapshot_at IS NOT NULL FROM pg_replication_slots s LEFT JOIN change_captures c ON c.slot = s.slot_name WHERE s.slot_name = $1
            """);
        command.Parameters.Add(SqlParameter.Of(slot));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return SlotState.Missing;
        if (reader.GetBoolean(1))
            return SlotState.InUse;
        // what is null was invalidated, too
        if (reader.IsDBNull(0) || reader.GetString(0) == "lost")
            return SlotState.Lost;
        return reader.GetBoolean(2) ? SlotState.GoesOn : SlotState.Unfinished;
    }

    /// <summary>Notes that the slot's snapshot was published, or that it is no longer what the table is.</summary>
    internal static async Task SetSnapshotAsync(NpgsqlDataSource dataSource, string slot, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            INSERT INTO change_captures (slot, snapshot_at) VALUES ($1, $2) ON CONFLICT (slot) DO UPDATE SET snapshot_at = excluded.snapshot_at
            """);
        command.Parameters.Add(SqlParameter.Of(slot));
        command.Parameters.Add(SqlParameter.Of(at, NpgsqlTypes.NpgsqlDbType.TimestampTz));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>What has become of a replication slot.</summary>
internal enum SlotState
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>Somebody reads from it, or has died so lately that the server has not noticed.</summary>
    InUse,

    /// <summary>It has lost changes, since it held back more of the log than the server allows.</summary>
    Lost,

    /// <summary>Its snapshot was never published in whole.</summary>
    Unfinished,

    /// <summary>It goes on where it was left.</summary>
    GoesOn,
}
