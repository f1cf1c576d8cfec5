namespace Shop.Payments;

/// <summary>How far a payment is. No state but <see cref="Capturing"/> is entered twice; those in <c>-ing</c> have a call to the provider to make, again and again until it is answered.</summary>
public enum PaymentState
{
    /// <summary>Asked for; the provider has yet to say whether it holds the amount.</summary>
    Authorizing,

    /// <summary>Looks suspicious: an operator decides, and the provider is not asked before.</summary>
    Held,

    /// <summary>The provider holds the amount.</summary>
    Authorized,

    /// <summary>The provider refused. An end.</summary>
    Declined,

    /// <summary>The order is confirmed; the amount is to be taken.</summary>
    Capturing,

    /// <summary>The provider refuses to take the amount, and is not asked again until an operator repairs the order or it is cancelled.</summary>
    Uncapturable,

    /// <summary>The amount was taken. An end, unless the order is cancelled later.</summary>
    Captured,

    /// <summary>The order is cancelled; the provider is to let go of whatever it holds, or refuse what may still be on its way to it.</summary>
    Voiding,

    /// <summary>The provider holds nothing, and will not. An end.</summary>
    Voided,

    /// <summary>The order is cancelled and the amount was taken: it is to be given back.</summary>
    Refunding,

    /// <summary>The amount was given back. An end.</summary>
    Refunded,
}
