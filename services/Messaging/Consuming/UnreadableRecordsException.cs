namespace Shop.Messaging.Consuming;

/// <summary>No client can read what the broker keeps at these offsets.</summary>
internal sealed class UnreadableRecordsException(string topic, int partition, long first, long last)
    : Exception($"{topic}[{partition}] has nothing that can be read at the offsets {first} to {last}: the batch is damaged, or written by a broken client. Its bytes are still in the log");
