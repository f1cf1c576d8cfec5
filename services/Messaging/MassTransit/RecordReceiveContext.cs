using MassTransit;
using MassTransit.Middleware.Outbox;
using MassTransit.Serialization;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.MassTransit;

/// <summary>A record on its way through MassTransit's pipeline; whatever its handlers publish or send goes to the outbox.</summary>
internal sealed class RecordReceiveContext : BaseReceiveContext
{
    private readonly TransactionalOutbox _outbox;
    private readonly ConsumedRecord _record;

    public RecordReceiveContext(ReceiveEndpointContext endpoint, ConsumedRecord record, object message, TransactionalOutbox outbox, IServiceScope scope)
        : base(false, endpoint, outbox, scope, scope.ServiceProvider)
    {
        _outbox = outbox;
        _record = record;
        HeaderProvider = new RecordHeaders(record);
        // for handlers whose state is a partition's
        AddOrUpdatePayload(() => record, _ => record);
        ConsumeContext consumeContext = new BodyConsumeContext(this,
            new EventSerializerContext(message, new RecordMessageContext(record, TransportHeaders, InputAddress)));
        AddOrUpdatePayload(() => consumeContext, _ => consumeContext);
    }

    public override MessageBody Body => new BytesMessageBody(_record.Body);

    protected override IHeaderProvider HeaderProvider { get; }

    protected override IPublishEndpointProvider GetPublishEndpointProvider() =>
        new OutboxPublishEndpointProvider(_outbox, base.GetPublishEndpointProvider());

    protected override ISendEndpointProvider GetSendEndpointProvider() =>
        new OutboxSendEndpointProvider(_outbox, base.GetSendEndpointProvider());

    /// <summary>Shows the record's headers to MassTransit as text.</summary>
    private sealed class RecordHeaders(ConsumedRecord record) : IHeaderProvider
    {
        public IEnumerable<KeyValuePair<string, object>> GetAll()
        {
            foreach (var header in record.Headers)
                yield return new(StorableText.Of(header.Key), StorableText.Of(header.GetValueBytes() ?? []));
        }

        public bool TryGetHeader(string key, out object value)
        {
            var found = record.Headers.TryGetLastBytes(key, out var bytes);
            value = found ? StorableText.Of(bytes ?? []) : "";
            return found;
        }
    }

    private sealed class RecordMessageContext(ConsumedRecord record, Headers headers, Uri destination) : MessageContext
    {
        public Guid? MessageId => record.Event.Id;
        public Guid? RequestId => null;
        public Guid? CorrelationId => null;
        public Guid? ConversationId => null;
        public Guid? InitiatorId => record.Event.CausationId;
        public DateTime? ExpirationTime => null;
        public Uri? SourceAddress => null;
        public Uri? DestinationAddress => destination;
        public Uri? ResponseAddress => null;
        public Uri? FaultAddress => null;
        public DateTime? SentTime => record.Event.Time.UtcDateTime;
        public Headers Headers => headers;
        public HostInfo Host => null!;
    }
}
