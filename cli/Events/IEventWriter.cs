namespace Shop.Cli.Events;

/// <summary>Writes records, one a line.</summary>
internal interface IEventWriter
{
    /// <summary>Writes a record.</summary>
    void Write(EventRecord record);

    /// <summary>Shows what was written.</summary>
    void Flush();
}
