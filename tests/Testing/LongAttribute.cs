using Xunit.v3;

namespace Shop.Testing;

/// <summary>Marks a test that kills, floods or waits for longer than about 15 s: <c>./shop test --all</c> runs it, <c>./shop test</c> and CI do not.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LongAttribute : Attribute, ITraitAttribute
{
    /// <summary>The trait by which tests/run.sh leaves it out.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Length", "Long")];
}
