using MassTransit;
using MassTransit.Context;
using MassTransit.Scheduling;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.MassTransit;

/// <summary>Lets state machines schedule messages in the outbox, in the transaction of their transition.</summary>
internal sealed class MessageSchedulingFilter : IFilter<ConsumeContext>
{
    public void Probe(ProbeContext context) => context.CreateFilterScope("scheduled messages");

    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context,
            consumeContext => new MessageScheduler(new OutboxScheduleProvider(consumeContext.GetPayload<TransactionalOutbox>()), consumeContext.GetPayload<IBusTopology>())));
        return next.Send(context);
    }

    private sealed class OutboxScheduleProvider(TransactionalOutbox outbox) : IScheduleMessageProvider
    {
        public Task<ScheduledMessage<T>> ScheduleSend<T>(Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
            where T : class
        {
            var due = new DateTimeOffset(DateTime.SpecifyKind(scheduledTime, DateTimeKind.Utc));
            var token = outbox.Schedule(message, due);
            return Task.FromResult<ScheduledMessage<T>>(new ScheduledMessageHandle<T>(token, scheduledTime, destinationAddress, message));
        }

        public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken)
        {
            outbox.CancelScheduled(tokenId);
            return Task.CompletedTask;
        }

        public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) =>
            CancelScheduledSend(tokenId, cancellationToken);
    }
}
