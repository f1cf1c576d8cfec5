namespace Shop.Messaging.Consuming;

/// <summary>An offset row was not where this consumer left it: the partition has another owner, so the batch must have no effect.</summary>
internal sealed class FencedException() : Exception("The partition's offset was moved by another instance");
