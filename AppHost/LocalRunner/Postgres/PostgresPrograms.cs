using System.Globalization;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Postgres;

/// <summary>Finds PostgreSQL's programs.</summary>
internal static class PostgresPrograms
{
    // Debian and Ubuntu; Red Hat's PGDG packages; Homebrew on both kinds of Mac
    private static readonly string[] Distributions = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];

    /// <summary>The directory with <c>initdb</c>, <c>postgres</c> and <c>psql</c>: on PATH, else the newest of the distribution's.</summary>
    /// <exception cref="InvalidOperationException">There is none; the message names the package.</exception>
    public static string Find()
    {
        if (Programs.Find("initdb") is { } onPath && HasServer(Path.GetDirectoryName(onPath)!)) return Path.GetDirectoryName(onPath)!;

        return Distributions
            .Where(Directory.Exists)
            .SelectMany(distribution => Directory.GetDirectories(distribution))
            .Select(directory => (Programs: Path.Combine(directory, "bin"), Version: VersionOf(directory)))
            .Where(found => HasServer(found.Programs))
            .OrderByDescending(found => found.Version)
            .Select(found => found.Programs)
            .FirstOrDefault()
            ?? throw new InvalidOperationException(
                "PostgreSQL is not installed: no initdb and postgres on PATH or in /usr/lib/postgresql/*/bin. Install the package " +
                "postgresql (apt-get, brew) or postgresql-server (dnf), or set ConnectionStrings__postgres.");
    }

    private static bool HasServer(string directory) =>
        File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres"));

    private static decimal VersionOf(string directory)
    {
        var digits = Path.GetFileName(directory).Replace("postgresql", "").Replace("pgsql", "").Trim('-', '@');
        return decimal.TryParse(digits, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
