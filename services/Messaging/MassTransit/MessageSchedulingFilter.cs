using MassTransit;
using MassTransit.Context;
using MassTransit.Scheduling;

namespace Shop.Messaging.MassTransitSeam;

/// <summary>Lets state machines schedule messages as rows of the <c>timeouts</c> table, in the transaction of their transition.</summary>
internal sealed class TimeoutSchedulingFilter : IFilter<ConsumeContext>
{
    public void Probe(ProbeContext context) => context.CreateFilterScope("timeouts");

    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context,
            consumeContext => new MessageScheduler(new OutboxScheduleProvider(consumeContext.GetPayload<Outbox>()), consumeContext.GetPayload<IBusTopology>())));
        return next.Send(context);
    }

    private sealed class OutboxScheduleProvider(Outbox outbox) : IScheduleMessageProvider
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
