using System.Text.RegularExpressions;

namespace Shop.Orders.Tests.Documentation;

/// <summary>docs/guarantees.md promises nothing without a test, and names no test that is not there.</summary>
public sealed partial class GuaranteesTests
{
    private static readonly string Text = File.ReadAllText(Repository.Document("guarantees.md"));

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        var missing = TestReference().Matches(Text)
            .Where(reference => !Exists(reference.Groups["project"].Value, reference.Groups["class"].Value, reference.Groups["method"].Value))
            .Select(reference => reference.Value).Distinct().ToList();

        Assert.True(missing.Count == 0, $"docs/guarantees.md names tests that are not there: {string.Join(", ", missing)}");
    }

    [Fact]
    public void Every_row_names_a_test()
    {
        var rows = Text.Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal) && !line.EndsWith("| proved by |", StringComparison.Ordinal)).ToList();

        Assert.True(rows.Count > 30, $"only {rows.Count} rows were found");
        Assert.All(rows, row => Assert.Matches(TestReference(), row.Split(" | ")[^1]));
    }

    [Theory]
    [InlineData("Orders.Tests", nameof(GuaranteesTests), nameof(Every_row_names_a_test), true)]
    [InlineData("Orders.Tests", nameof(GuaranteesTests), nameof(Exists), false)]
    [InlineData("Orders.Tests", "RulesTests", nameof(Every_row_names_a_test), false)]
    [InlineData("No.Tests", nameof(GuaranteesTests), nameof(Every_row_names_a_test), false)]
    public void The_search_can_fail(string project, string @class, string method, bool exists) => Assert.Equal(exists, Exists(project, @class, method));

    /// <summary>Whether the project has such a method, marked as a test, in a file of such a class.</summary>
    private static bool Exists(string project, string @class, string method)
    {
        var directory = Path.Combine(Repository.Root, "tests", project);
        return Directory.Exists(directory) && Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories).Any(file =>
        {
            var source = File.ReadAllText(file);
            return Regex.IsMatch(source, $@"\bclass {@class}\b") && Regex.IsMatch(source, $@"^\s*\[(Fact|Theory)\b[^\n]*\n(\s*\[[^\n]*\n)*\s*public (async )?[\w<>]+ {method}\(", RegexOptions.Multiline);
        });
    }

    [GeneratedRegex(@"`(?<project>[A-Za-z.]+)/(?<class>[A-Za-z]+)\.(?<method>[A-Za-z0-9_]+)`")]
    private static partial Regex TestReference();
}
