using Shop.AppHost.Running;

namespace Shop.AppHost;

/// <summary>What this machine has.</summary>
/// <param name="PostgresPrograms">The directory of PostgreSQL's programs; null for none.</param>
/// <param name="HasContainerEngine">Whether there is Docker or Podman.</param>
internal sealed record Machine(string? PostgresPrograms, bool HasContainerEngine)
{
    /// <summary>Looks around.</summary>
    public static Machine Look() => new(Shop.AppHost.Postgres.PostgresPrograms.Find(), Programs.Find("docker") is not null || Programs.Find("podman") is not null);
}
