namespace Shop.Payments.ScreeningPayments.Rules;

/// <summary>A reason for or against a payment: a pure function of its features. Its properties are its settings.</summary>
public abstract record Rule
{
    /// <param name="points">Its <see cref="Points"/> as it is delivered.</param>
    private protected Rule(double points) => Points = points;

    /// <summary>Added to the score where the rule fires with full strength; 0 switches it off, less than 0 speaks for the payment.</summary>
    public double Points { get; init; }

    /// <summary>Its name in settings, decisions and events.</summary>
    internal string Name => GetType().Name;

    /// <summary>Looks at a payment; null where the rule does not fire.</summary>
    internal abstract Finding? Look(Features features);

    /// <summary>How far <paramref name="value"/> is on its way from just below <paramref name="from"/> (a half) to <paramref name="to"/> (1); 0 below <paramref name="from"/>.</summary>
    private protected static double Grade(double value, double from, double to) =>
        value < from ? 0 : to <= from ? 1 : 0.5 + 0.5 * Math.Min(1, (value - from) / (to - from));
}

/// <summary>That a rule fired.</summary>
/// <param name="Strength">How much of its points it gives: above 0, at most 1.</param>
/// <param name="Features">What it saw.</param>
public readonly record struct Finding(double Strength, params (string Name, double Value)[] Features);
