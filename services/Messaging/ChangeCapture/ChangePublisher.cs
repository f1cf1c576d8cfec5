using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Publishes rows and tombstones of one table, in their order, as fast as the broker takes them.</summary>
/// <param name="producer">The client, which this owns.</param>
/// <param name="limits">What the topic takes.</param>
/// <param name="capture">The table.</param>
/// <param name="source">The events' source.</param>
/// <param name="requireLock">Throws where somebody else may publish.</param>
/// <param name="logger">Where it is said that a row is left out.</param>
internal sealed partial class ChangePublisher(IProducer<byte[], byte[]?> producer, TopicLimits limits, TableCapture capture, string source, Action requireLock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan QueueFullDelay = TimeSpan.FromMilliseconds(2);

    /// <summary>Publishes what a row is now.</summary>
    public Task PublishAsync(CapturedRow row, Guid id, DateTimeOffset at, CapturePosition.CapturedTransaction transaction, CancellationToken cancellationToken)
    {
        var key = row.Text(capture.KeyColumn);
        byte[] body;
        try
        {
            body = JsonSerializer.SerializeToUtf8Bytes(capture.Map(row), capture.Type.Json);
        }
        catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException)
        {
            RowLeftOut(logger, capture.Table, key, e.Message);
            return Task.CompletedTask;
        }
        return SendAsync(key, body, id, at, transaction, cancellationToken);
    }

    /// <summary>Publishes that a row is gone.</summary>
    public Task PublishGoneAsync(string key, Guid id, DateTimeOffset at, CapturePosition.CapturedTransaction transaction, CancellationToken cancellationToken) =>
        SendAsync(key, null, id, at, transaction, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => producer.Dispose();

    private async Task SendAsync(string key, byte[]? body, Guid id, DateTimeOffset at, CapturePosition.CapturedTransaction transaction, CancellationToken cancellationToken)
    {
        var message = new Message<byte[], byte[]?>
        {
            Key = Encoding.UTF8.GetBytes(key),
            Value = body,
            Headers = new CloudEvent(id, capture.Type.Name, source, at, key).ToHeaders(),
            Timestamp = new Timestamp(at),
        };
        if (!await limits.AllowsAsync(capture.Type.Topic.Name, message, body?.Length ?? 0))
        {
            // an event that no topic takes would hold up all other rows for good
            RowLeftOut(logger, capture.Table, key, "it is larger than its topic's max.message.bytes");
            return;
        }
        transaction.Add();
        while (true)
        {
            requireLock();
            try
            {
                producer.Produce(capture.Type.Topic.Name, message, transaction.Delivered);
                return;
            }
            catch (ProduceException<byte[], byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                await Task.Delay(QueueFullDelay, cancellationToken);
            }
        }
    }

    [LoggerMessage(EventName = "CapturedRowLeftOut", Level = LogLevel.Error, Message = "A change of {Table} {Key} is not published: {Reason}")]
    private static partial void RowLeftOut(ILogger logger, string table, string key, string reason);
}
