using Npgsql;
using Shop.Messaging.Schema;
using Shop.Testing;

namespace Shop.Messaging.Tests.Schema;

/// <summary>What of several instances only one does: whoever stands still loses it, and whoever has lost it stops.</summary>
public sealed class AdvisoryLocksTests(PostgresFixture postgres)
{
    private const string Lock = "what only one is to do";

    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SELECT")]
    [InlineData("BEGIN; SELECT")]
    public async Task A_holder_that_is_silent_for_too_long_is_ended_and_the_next_one_has_the_lock(string last)
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using var silent = await dataSource.OpenConnectionAsync(Cancellation);
        await using var other = await dataSource.OpenConnectionAsync(Cancellation);
        Assert.True(await AdvisoryLocks.TryTakeAsync(silent, Lock, Cancellation));
        await ExecuteAsync(silent, last);

        Assert.False(await AdvisoryLocks.TryTakeAsync(other, Lock, Never, Cancellation));
        await ExecuteAsync(silent, "SELECT");
        Assert.False(await AdvisoryLocks.TryTakeAsync(other, Lock, TimeSpan.Zero, Cancellation));

        await Eventually.BecomesTrueAsync(() => AdvisoryLocks.TryTakeAsync(other, Lock, Never, Cancellation));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(silent, "SELECT"));
    }

    [Fact]
    public async Task A_holder_that_stands_still_while_it_copies_rows_is_silent_too()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using var silent = await dataSource.OpenConnectionAsync(Cancellation);
        await using var other = await dataSource.OpenConnectionAsync(Cancellation);
        Assert.True(await AdvisoryLocks.TryTakeAsync(silent, Lock, Cancellation));
        await ExecuteAsync(silent, "CREATE TABLE copied (n int)");
        var copying = await silent.BeginTextImportAsync("COPY copied FROM STDIN", Cancellation);
        await copying.WriteAsync("1\n".AsMemory(), Cancellation);

        await Eventually.BecomesTrueAsync(() => AdvisoryLocks.TryTakeAsync(other, Lock, TimeSpan.Zero, Cancellation));

        await Assert.ThrowsAnyAsync<Exception>(async () => await copying.DisposeAsync());
    }

    [Fact]
    public async Task One_who_works_is_never_silent()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using var working = await dataSource.OpenConnectionAsync(Cancellation);
        await using var other = await dataSource.OpenConnectionAsync(Cancellation);
        Assert.True(await AdvisoryLocks.TryTakeAsync(working, Lock, Cancellation));
        await ExecuteAsync(other, "SELECT pg_advisory_lock(1)");
        var statement = ExecuteAsync(working, "SELECT pg_advisory_lock(1)");
        await using var waiting = dataSource.CreateCommand($"SELECT count(*) FROM pg_stat_activity WHERE pid = {working.ProcessID} AND wait_event = 'advisory'");
        await Eventually.BecomesTrueAsync(async () => await waiting.ExecuteScalarAsync(Cancellation) is 1L);

        for (var i = 0; i < 3; i++)
            Assert.False(await AdvisoryLocks.TryTakeAsync(other, Lock, TimeSpan.Zero, Cancellation));

        await ExecuteAsync(other, "SELECT pg_advisory_unlock(1)");
        await statement;
        await AdvisoryLocks.ReleaseAsync(working);
        Assert.True(await AdvisoryLocks.TryTakeAsync(other, Lock, Never, Cancellation));
    }

    [Fact]
    public async Task Work_that_has_lost_its_lock_is_cancelled_and_says_why()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var working = AdvisoryLocks.TryRunAsync(dataSource, Lock, async held =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, held);
        }, TimeProvider.System, Cancellation);
        await begun.Task;

        Assert.False(await AdvisoryLocks.TryRunAsync(dataSource, Lock, _ => Task.CompletedTask, TimeProvider.System, Cancellation));
        await using var end = dataSource.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        await end.ExecuteNonQueryAsync(Cancellation);

        Assert.Contains(Lock, (await Assert.ThrowsAsync<InvalidOperationException>(() => working)).Message, StringComparison.Ordinal);
        // a session that is ended says so before it frees what it held
        await Eventually.BecomesTrueAsync(() => AdvisoryLocks.TryRunAsync(dataSource, Lock, _ => Task.CompletedTask, TimeProvider.System, Cancellation));
        Assert.True(await AdvisoryLocks.TryRunAsync(dataSource, Lock, _ => Task.CompletedTask, TimeProvider.System, Cancellation), "it was not given back");
    }

    [Fact]
    public async Task Work_that_fails_or_is_ended_by_its_caller_gives_the_lock_back_and_says_so_itself()
    {
        await using var dataSource = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

        await Assert.ThrowsAsync<TimeoutException>(() => AdvisoryLocks.TryRunAsync(dataSource, Lock, _ => throw new TimeoutException(), TimeProvider.System, Cancellation));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AdvisoryLocks.TryRunAsync(dataSource, Lock, async held =>
        {
            await stop.CancelAsync();
            held.ThrowIfCancellationRequested();
        }, TimeProvider.System, stop.Token));

        Assert.True(await AdvisoryLocks.TryRunAsync(dataSource, Lock, _ => Task.CompletedTask, TimeProvider.System, Cancellation));
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
