namespace Shop.Messaging.Workers;

/// <summary>Why something does not succeed that is tried several times a second until it does: each reason is said once, until there is another one.</summary>
internal sealed class SaidReason
{
    private string? _last;

    /// <summary>Whether a reason is another one than that of the last attempt, and so is to be said.</summary>
    public bool IsNew(string reason)
    {
        var before = _last;
        _last = reason;
        return before != reason;
    }
}
