using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Workers;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Raises an alarm while a slot holds back much of the write-ahead log, which fills the database's disk; any instance looks, since no reader may be at work.</summary>
internal sealed class SlotWatch(TableCapture capture, NpgsqlDataSource dataSource, IServiceScopeFactory scopes, MessagingOptions messaging,
    IOptions<CaptureSettings> settings, TimeProvider time) : IPeriodicWorker
{
    private const double Megabyte = 1 << 20;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var slot = capture.SlotIn(new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).Database ?? "");
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(stoppingToken);
        var found = await db.Database.SqlQuery<HeldBack>($"""
            SELECT c.alarm, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::double precision AS bytes
            FROM change_captures c JOIN pg_replication_slots s ON s.slot_name = c.slot WHERE c.slot = {slot} FOR UPDATE OF c
            """).ToListAsync(stoppingToken);
        if (found is not [var (alarm, bytes)])
            return;
        var (megabytes, limit, now) = (bytes / Megabyte, settings.Value.AlarmMegabytes, time.GetUtcNow());
        var (expected, seen) = (string.Create(CultureInfo.InvariantCulture, $"less than {limit} MiB of log held back"), string.Create(CultureInfo.InvariantCulture, $"{megabytes:0} MiB"));
        Guid? next = alarm;
        if (alarm is null && megabytes >= limit)
        {
            next = Guid.CreateVersion7(now);
            db.Publish(new AlarmRaised(next.Value, AlarmKinds.ReplicationLag, messaging.ServiceName, slot, expected, seen, now));
        }
        else if (alarm is { } open && megabytes <= limit / 2.0)
        {
            next = null;
            db.Publish(new AlarmCleared(open, AlarmKinds.ReplicationLag, messaging.ServiceName, slot, expected, seen, now));
        }
        if (next == alarm)
            return;
        await db.Database.ExecuteSqlAsync($"UPDATE change_captures SET alarm = {next} WHERE slot = {slot}", stoppingToken);
        await db.SaveChangesAsync(stoppingToken);
        await transaction.CommitAsync(stoppingToken);
    }

    private sealed record HeldBack(Guid? Alarm, double Bytes);
}
