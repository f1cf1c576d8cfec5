using System.Globalization;
using Shop.AppHost.Running;

namespace Shop.AppHost.Postgres;

/// <summary>Finds PostgreSQL's programs.</summary>
internal static class PostgresPrograms
{
    /// <summary>What to say where there are none.</summary>
    public const string Missing =
        "PostgreSQL is not installed: no initdb and postgres on PATH or in /usr/lib/postgresql/*/bin, and no container engine. Install the package " +
        "postgresql (apt-get, brew) or postgresql-server (dnf), or set ConnectionStrings__postgres.";

    // Debian and Ubuntu; Red Hat's PGDG packages; Homebrew on both kinds of Mac
    private static readonly string[] Distributions = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];

    /// <summary>The directory with <c>initdb</c> and <c>postgres</c>: on PATH, else the newest of the distribution's; null for none.</summary>
    public static string? Find() =>
        Programs.Directories.FirstOrDefault(HasServer)
        ?? Distributions
            .Where(Directory.Exists)
            .SelectMany(Directory.GetDirectories)
            .Where(directory => HasServer(Path.Combine(directory, "bin")))
            .OrderByDescending(VersionOf)
            .Select(directory => Path.Combine(directory, "bin"))
            .FirstOrDefault();

    private static bool HasServer(string directory) => File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres"));

    private static decimal VersionOf(string directory)
    {
        var digits = Path.GetFileName(directory).Replace("postgresql", "").Replace("pgsql", "").Trim('-', '@');
        return decimal.TryParse(digits, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
