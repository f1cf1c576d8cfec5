namespace Shop.Cli;

/// <summary>A command cannot do what it was asked for; the message says why, to the person who asked.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
