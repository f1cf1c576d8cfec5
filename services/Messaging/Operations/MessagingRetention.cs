using System.ComponentModel.DataAnnotations;

namespace Shop.Messaging.Operations;

/// <summary>How long Messaging keeps what has done its work; configured by the section <c>Messaging:Retention</c>.</summary>
public sealed class MessagingRetention
{
    private const string Shortest = "01:00:00", Longest = "3650.00:00:00";

    /// <summary>How long an event is remembered, so that its repetition has no effect. Longer than any repetition may take to arrive.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest, ErrorMessage = "Messaging:Retention:Inbox must be from {1} to {2}: an event that is forgotten sooner would have its effect again when it is repeated")]
    public TimeSpan Inbox { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long a dead letter is kept after it was redriven or discarded.</summary>
    [Range(typeof(TimeSpan), "00:00:00", Longest, ErrorMessage = "Messaging:Retention:DeadLetters must be from {1} to {2}")]
    public TimeSpan DeadLetters { get; set; } = TimeSpan.FromDays(30);
}
