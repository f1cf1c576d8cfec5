namespace Shop.Messaging.Schema;

/// <summary>
/// Put on a migration that makes what several older ones, which it has taken the place of, made together. A database that has all of those
/// is taken to have this one, and keeps everything that is in it.
/// </summary>
/// <param name="migrationIds">The ids of the older migrations, in their order.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ReplacesAttribute(params string[] migrationIds) : Attribute
{
    /// <summary>The ids of the older migrations, in their order.</summary>
    public IReadOnlyList<string> MigrationIds { get; } = migrationIds;
}
