namespace Shop.Orders.Tests.Interleaving;

/// <summary>The world an order lives in, and how often each thing may happen to it in one run; each may happen at any moment.</summary>
/// <param name="Name">What is special.</param>
public sealed record Scenario(string Name)
{
    /// <summary>Pieces in stock; the order wants 2.</summary>
    public int Stock { get; init; } = 2;

    /// <summary>The means of payment: the provider's rules decide by it.</summary>
    public string Token { get; init; } = "tok_visa";

    /// <summary>Payments holds the payment for an operator, who approves it, rejects it or leaves it.</summary>
    public bool Held { get; init; }

    /// <summary>The shopper's cancellations.</summary>
    public int Cancellations { get; init; } = 1;

    /// <summary>Every event is delivered twice in a row, to everybody, as if there were no inbox.</summary>
    public bool Doubled { get; init; }

    /// <summary>Deliveries of an older event to somebody who had it, at any later time.</summary>
    public int Redeliveries { get; init; }

    /// <summary>Calls to the provider that are given up and repeated; the first may have arrived, arrive later, or never.</summary>
    public int AbandonedCalls { get; init; }

    /// <summary>Reservations that Inventory loses: it gives back what the order still needs.</summary>
    public int LostReservations { get; init; }

    /// <summary>Authorisations that somebody voids at the provider itself.</summary>
    public int VoidsByHand { get; init; }

    /// <summary>Answers of Inventory or Payments that Orders never handles.</summary>
    public int LostAnswers { get; init; }

    /// <summary>The topic has lost the order's submission, with the end of its log.</summary>
    public bool SubmissionLost { get; init; }

    /// <summary>Repairs by an operator.</summary>
    public int Repairs { get; init; }
}
