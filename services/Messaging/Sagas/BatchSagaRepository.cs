using MassTransit;
using MassTransit.Context;
using MassTransit.Saga;
using Microsoft.EntityFrameworkCore;

namespace Shop.Messaging.Sagas;

/// <summary>MassTransit's saga repository over the batch's DbContext: instances are prefetched and locked once a batch and saved with it.</summary>
internal sealed class BatchSagaRepository<TSaga>(MessagingDbContext db) : ISagaRepositoryContextFactory<TSaga> where TSaga : class, ISaga
{
    public void Probe(ProbeContext context) => context.Add("persistence", "MessagingDbContext");

    public Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TSaga, T>> next) where T : class =>
        next.Send(new SagaContext<TSaga, T>(db, context));

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TSaga> query, IPipe<SagaRepositoryQueryContext<TSaga, T>> next) where T : class =>
        throw new NotSupportedException("Sagas are correlated by the record's key: use CorrelateById");
}

/// <summary>Loads and saves the instance for one message.</summary>
internal sealed class SagaContext<TSaga, T>(MessagingDbContext db, ConsumeContext<T> context)
    : ConsumeContextScope<T>(context, db), SagaRepositoryContext<TSaga, T> where TSaga : class, ISaga where T : class
{
    public async Task<SagaConsumeContext<TSaga, T>> Load(Guid correlationId)
    {
        if (db.Set<TSaga>().Local.FindEntry(correlationId) is { } tracked)
            return Wrap(tracked.State == EntityState.Deleted ? null : tracked.Entity);
        if (!db.PrefetchedSagas.Contains(correlationId))
            await SagaPrefetch.LoadAsync<TSaga>(db, [correlationId], CancellationToken);
        return Wrap(db.Set<TSaga>().Local.FindEntry(correlationId)?.Entity);
    }

    public Task<SagaConsumeContext<TSaga, T>> Add(TSaga instance) => Task.FromResult(Wrap(instance));

    public Task<SagaConsumeContext<TSaga, T>> Insert(TSaga instance) =>
        throw new NotSupportedException("InsertOnInitial is not supported: instances are inserted when their batch is saved");

    public Task Save(SagaConsumeContext<TSaga> saga)
    {
        db.Add(saga.Saga);
        return Task.CompletedTask;
    }

    public Task Update(SagaConsumeContext<TSaga> saga)
    {
        // an event that changed nothing costs no UPDATE
        var entry = db.Entry(saga.Saga);
        entry.DetectChanges();
        if (entry.State == EntityState.Modified && saga.Saga is ISagaVersion versioned)
            versioned.Version++;
        return Task.CompletedTask;
    }

    public Task Delete(SagaConsumeContext<TSaga> saga)
    {
        db.Remove(saga.Saga);
        return Task.CompletedTask;
    }

    public Task Discard(SagaConsumeContext<TSaga> saga) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TSaga> saga) => Task.CompletedTask;

    public Task<SagaConsumeContext<TSaga, TMessage>> CreateSagaConsumeContext<TMessage>(ConsumeContext<TMessage> consumeContext, TSaga instance, SagaConsumeContextMode mode)
        where TMessage : class => Task.FromResult<SagaConsumeContext<TSaga, TMessage>>(new DefaultSagaConsumeContext<TSaga, TMessage>(consumeContext, instance));

    // MassTransit's contract says "null when there is none", though its annotation does not
    private SagaConsumeContext<TSaga, T> Wrap(TSaga? instance) => instance is null ? null! : new DefaultSagaConsumeContext<TSaga, T>(this, instance);
}
