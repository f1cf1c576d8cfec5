namespace Shop.Messaging.Operations;

/// <summary>How long Messaging keeps what has done its work; configured by the section <c>Messaging:Retention</c>.</summary>
public sealed class MessagingRetention
{
    /// <summary>How long an event is remembered, so that its repetition has no effect. Longer than any repetition may take to arrive.</summary>
    public TimeSpan Inbox { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long a dead letter is kept after it was redriven or discarded.</summary>
    public TimeSpan DeadLetters { get; set; } = TimeSpan.FromDays(30);
}
