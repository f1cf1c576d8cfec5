namespace Shop.KafkaBroker;

/// <summary>The bytes of a request are not what the protocol allows; the connection that sent them is closed.</summary>
internal sealed class MalformedRequestException(string message) : Exception(message);
