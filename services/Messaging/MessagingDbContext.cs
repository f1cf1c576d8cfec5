using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Messaging;

/// <summary>
/// A service's database, with its outbox: what is published is saved together with the changes, or not at all.
/// </summary>
/// <remarks>
/// Change the aggregate before anything else touches its row (locked, or under a version), so that the outbox rows of one key
/// get their ids in the order of the commits. The relay reads in id order.
/// </remarks>
/// <param name="options">EF Core's options.</param>
/// <param name="outbox">The scope's outbox.</param>
public abstract class MessagingDbContext(DbContextOptions options, TransactionalOutbox outbox) : DbContext(options)
{
    internal TransactionalOutbox Outbox { get; } = outbox;

    /// <summary>Sagas of the current batch that were looked for, so that one that was not found is not looked for again.</summary>
    internal HashSet<Guid> PrefetchedSagas { get; } = [];

    /// <summary>Publishes <paramref name="event"/> when <see cref="SaveChangesAsync(bool, CancellationToken)"/> has committed.</summary>
    /// <exception cref="InvalidOperationException">The service does not produce the event's topic.</exception>
    public void Publish(object @event) => Outbox.Publish(@event);

    /// <summary>Publishes as <see cref="Publish(object)"/> does, for a service that answers later than it was asked and kept by what.</summary>
    /// <param name="event">The event.</param>
    /// <param name="causationId">The event that caused it.</param>
    /// <param name="traceParent">The trace it belongs to (W3C Trace Context), where there is one.</param>
    /// <exception cref="InvalidOperationException">The service does not produce the event's topic.</exception>
    public void Publish(object @event, Guid causationId, string? traceParent) => Outbox.Publish(@event, causationId, traceParent);

    /// <summary>Publishes <paramref name="event"/> at <paramref name="due"/>, as a state machine's <c>Schedule</c> does: for an instance that is made outside of it, with a deadline.</summary>
    /// <returns>The token that the state machine knows it by.</returns>
    /// <exception cref="InvalidOperationException">The service does not produce the event's topic.</exception>
    public Guid Schedule(object @event, DateTimeOffset due) => Outbox.Schedule(@event, due);

    /// <summary>Has <paramref name="action"/> done when what is published has been committed; see <see cref="TransactionalOutbox.WhenCommitted"/>.</summary>
    public void WhenCommitted(Action action) => Outbox.WhenCommitted(action);

    /// <summary>Saves the changes and what was published, in one transaction: the current one, or one of its own.</summary>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        if (Database.CurrentTransaction is { } current)
            return await SaveAsync(current, acceptAllChangesOnSuccess, cancellationToken);
        if (!Outbox.HasWork)
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (!ChangeTracker.HasChanges())
        {
            await PublishOnlyAsync(cancellationToken);
            return 0;
        }

        await using var transaction = await Database.BeginTransactionAsync(cancellationToken);
        var saved = await SaveAsync(transaction, acceptAllChangesOnSuccess, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return saved;
    }

    /// <summary>Not supported: it would have to block on the database.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    [DoesNotReturn]
    public override int SaveChanges(bool acceptAllChangesOnSuccess) => throw new NotSupportedException("Use SaveChangesAsync");

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Conventions.Add(_ => new PostgresNames());
        // what an index costs is decided where it is declared
        configurationBuilder.Conventions.Remove<ForeignKeyIndexConvention>();
    }

    /// <summary>Adds Messaging's tables; to be called by those who add their own.</summary>
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddMessagingTables();

    /// <summary>Where nothing but events is saved, they are one round trip, which PostgreSQL makes a transaction of by itself.</summary>
    private async Task PublishOnlyAsync(CancellationToken cancellationToken)
    {
        await Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await Outbox.WriteAsync((NpgsqlConnection)Database.GetDbConnection(), null, cancellationToken);
        }
        finally
        {
            await Database.CloseConnectionAsync();
        }
        Outbox.Committed();
    }

    private async Task<int> SaveAsync(IDbContextTransaction transaction, bool acceptAllChangesOnSuccess, CancellationToken cancellationToken)
    {
        // a savepoint for each save would cost a round trip, and a failed save always ends the whole transaction here
        Database.AutoSavepointsEnabled = false;
        try
        {
            return await WriteAsync(transaction, acceptAllChangesOnSuccess, cancellationToken);
        }
        catch (Exception e)
        {
            // what is not written by EF Core is not seen by its interceptors
            ((StaleSessions?)((IServiceProvider?)Outbox)?.GetService(typeof(StaleSessions)))?.ClearAfter(e);
            throw;
        }
    }

    private async Task<int> WriteAsync(IDbContextTransaction transaction, bool acceptAllChangesOnSuccess, CancellationToken cancellationToken)
    {
        var saved = await SetBasedTable.WriteAsync(this, cancellationToken);
        saved += await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (Outbox.HasWork)
            await Outbox.WriteAsync((NpgsqlConnection)Database.GetDbConnection(), transaction.GetDbTransaction(), cancellationToken);
        return saved;
    }
}
