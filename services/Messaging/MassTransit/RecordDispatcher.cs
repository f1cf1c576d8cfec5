using MassTransit;
using MassTransit.Context;
using MassTransit.DependencyInjection;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Consuming;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.MassTransit;

/// <summary>
/// Sends records through MassTransit's pipeline, without a transport of MassTransit's: the same seam that its own riders use
/// (<see cref="IReceivePipeDispatcher"/> of a receive endpoint that never starts; the in-memory bus only lends its host configuration).
/// </summary>
internal sealed class RecordDispatcher
{
    private readonly ReceiveEndpointContext _endpoint;
    private readonly IReceivePipeDispatcher _pipe;

    public RecordDispatcher(IServiceProvider services, EndpointOptions options)
    {
        var bus = services.GetRequiredService<Bind<IBus, IBusInstance>>().Value;
        var registration = services.GetRequiredService<IBusRegistrationContext>();
        var configuration = bus.HostConfiguration.CreateReceiveEndpointConfiguration(options.Name, endpoint =>
        {
            endpoint.ConfigureConsumeTopology = false;
            endpoint.PublishFaults = false;
            endpoint.ThrowOnSkippedMessages();
            endpoint.RethrowFaultedMessages();
            endpoint.UseFilter(new MessageSchedulingFilter());
            foreach (var connect in options.Connections)
                connect(endpoint, registration);
        });
        configuration.Validate().ThrowIfContainsFailure($"The endpoint {options.Name} is misconfigured");
        _endpoint = configuration.CreateReceiveEndpointContext();
        _pipe = _endpoint.CreateReceivePipeDispatcher();
    }

    /// <summary>Runs the consumers and sagas of <paramref name="message"/> in <paramref name="scope"/>; what they throw is thrown here.</summary>
    public async Task DispatchAsync(ConsumedRecord record, object message, IServiceScope scope, TransactionalOutbox outbox)
    {
        using var context = new RecordReceiveContext(_endpoint, record, message, outbox, scope);
        await _pipe.Dispatch(context, NoLockReceiveContext.Instance);
    }
}
