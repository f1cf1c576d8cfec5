using Shop.Activity.Tests.Hosting;
using Shop.Testing;

namespace Shop.Activity.Tests.Migrations;

public sealed class ActivityMigrationTests(ShopFixture shop) : MigrationTests(new ActivityDbFactory(), shop.CreateDatabaseAsync)
{
    private static readonly string[] NewSequences = ["alarms_position_seq", "log_lines_position_seq"];

    private const string FirstSequence = "SELECT pg_catalog.setval('public.events_position_seq'";

    /// <summary>An event's trace is derived by the database since, at the end of its row; and there are tables with numbers of their own.</summary>
    protected override string WithoutDerived(string rows) => string.Join('\n', rows.Split('\n').Select(row =>
            row.StartsWith("INSERT INTO public.events ", StringComparison.Ordinal) && row.EndsWith(");", StringComparison.Ordinal) ? $"{row[..^2]}, DEFAULT);" : row))
        .Replace(FirstSequence, string.Concat(NewSequences.Select(sequence => $"SELECT pg_catalog.setval('public.{sequence}', 1, false);\n")) + FirstSequence, StringComparison.Ordinal);
}
