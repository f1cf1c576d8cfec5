using System.Runtime.CompilerServices;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Which entities are written set-based.</summary>
public static class SetBasedSaving
{
    internal const string Annotation = "Shop:SaveInSets";

    /// <summary>
    /// Has what is added and changed of an entity written by one statement each for all of its rows, where EF Core would send one a row. Sagas are,
    /// without being asked. Additions to a table with foreign keys are left to EF Core, which knows what has to be there before.
    /// </summary>
    /// <exception cref="InvalidOperationException">At the first save: only EF Core can write it, for inheritance, navigations, complex, generated or array columns.</exception>
    public static EntityTypeBuilder<T> SaveInSets<T>(this EntityTypeBuilder<T> entity) where T : class => entity.HasAnnotation(Annotation, true);
}

/// <summary>
/// Writes all rows of an entity set-based: one INSERT and one UPDATE over arrays. The values, converters and column names are those of EF Core's model.
/// </summary>
internal sealed class SetBasedTable
{
    private static readonly ConditionalWeakTable<IModel, SetBasedTable[]> Tables = [];

    private readonly IEntityType _entity;
    private readonly bool _refersToOthers;
    private readonly string _insert;
    private readonly string _name;
    private readonly Column[] _columns;
    private readonly Column[] _key;
    private readonly Column? _version;

    private SetBasedTable(IEntityType entity)
    {
        _entity = entity;
        _refersToOthers = entity.GetForeignKeys().Any();
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        _name = entity.GetSchema() is { } schema ? $"\"{schema}\".\"{table.Name}\"" : $"\"{table.Name}\"";
        _columns = [.. entity.GetProperties().Select(property => new Column(property, $"\"{property.GetColumnName(table)}\""))];
        _key = Array.FindAll(_columns, column => column.Property.IsPrimaryKey());
        _version = Array.Find(_columns, column => column.Property.IsConcurrencyToken);
        _insert = $"INSERT INTO {_name} ({string.Join(", ", _columns.Select(column => column.Name))}) SELECT * FROM unnest({Placeholders(_columns.Length)})";
    }

    /// <summary>Writes what was added and changed, in the current transaction and one round trip; EF Core then has nothing left to write of it.</summary>
    /// <returns>The number of rows.</returns>
    /// <exception cref="DbUpdateConcurrencyException">A row was changed by somebody else since it was loaded.</exception>
    /// <exception cref="DbUpdateException">The database refuses a row.</exception>
    public static async Task<int> WriteAsync(DbContext db, CancellationToken cancellationToken)
    {
        var tables = Tables.GetValue(db.Model, Of);
        if (tables.Length == 0)
            return 0;
        List<EntityEntry> added = [], modified = [];
        foreach (var entry in db.ChangeTracker.Entries())
        {
            if (entry.State is not (EntityState.Added or EntityState.Modified) || Array.Find(tables, table => table._entity == entry.Metadata) is not { } table)
                continue;
            if (entry.State == EntityState.Modified)
                modified.Add(entry);
            else if (!table._refersToOthers)
                added.Add(entry);
        }
        if (added.Count + modified.Count == 0)
            return 0;
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        foreach (var table in tables)
        {
            if (added.FindAll(entry => entry.Metadata == table._entity) is { Count: > 0 } inserted)
                batch.BatchCommands.Add(table.Insert(inserted));
            if (modified.FindAll(entry => entry.Metadata == table._entity) is { Count: > 0 } updated)
                batch.BatchCommands.Add(table.Update(updated));
        }
        var expected = added.Count + modified.Count;
        int written;
        try
        {
            written = await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e)
        {
            // what EF Core throws for it: who saves need not know how it is written
            throw new DbUpdateException("The changes could not be saved", e, [.. added, .. modified]);
        }
        if (written != expected)
            throw new DbUpdateConcurrencyException($"{expected - written} of {expected} rows were changed by somebody else");
        foreach (var entry in added)
            entry.State = EntityState.Unchanged;
        foreach (var entry in modified)
        {
            // or it would be as it was loaded
            entry.OriginalValues.SetValues(entry.CurrentValues);
            entry.State = EntityState.Unchanged;
        }
        return written;
    }

    private static SetBasedTable[] Of(IModel model) => [.. model.GetEntityTypes()
        .Where(entity => IsMarked(entity) || entity.ClrType.IsAssignableTo(typeof(ISaga)) && IsPlain(entity))
        .Select(entity => IsPlain(entity) ? new SetBasedTable(entity) : throw new InvalidOperationException($"{entity.DisplayName()} cannot be saved in sets"))];

    private static bool IsMarked(IEntityType entity) => entity.FindAnnotation(SetBasedSaving.Annotation) is not null;

    private static bool IsPlain(IEntityType entity) =>
        entity.FindPrimaryKey() is not null && entity.BaseType is null && !entity.GetDirectlyDerivedTypes().Any()
        && !entity.GetNavigations().Any() && !entity.GetComplexProperties().Any()
        && entity.GetProperties().Count(property => property.IsConcurrencyToken) <= 1
        && entity.GetProperties().All(property => !property.IsShadowProperty() && !IsGenerated(property) && property.GetRelationalTypeMapping().ElementTypeMapping is null);

    /// <summary>By the database: a key that is a <see cref="Guid"/> is EF Core's to generate, where the entity comes without.</summary>
    private static bool IsGenerated(IProperty property) =>
        property.ValueGenerated != ValueGenerated.Never && (property.ClrType != typeof(Guid) || property.ValueGenerated != ValueGenerated.OnAdd || property.GetDefaultValueSql() is not null);

    private NpgsqlBatchCommand Insert(List<EntityEntry> entries)
    {
        var command = new NpgsqlBatchCommand(_insert);
        foreach (var column in _columns)
            command.Parameters.Add(column.Values(entries));
        return command;
    }

    /// <summary>Only the columns that some row has changed: the others may be large.</summary>
    private NpgsqlBatchCommand Update(List<EntityEntry> entries)
    {
        var changed = Array.FindAll(_columns, column => entries.Exists(entry => entry.Property(column.Property).IsModified));
        string[] names = [.. _key.Concat(changed).Select(column => column.Name), .. _version is null ? (string[])[] : ["expected_version"]];
        var command = new NpgsqlBatchCommand($"""
            UPDATE {_name} AS row SET {string.Join(", ", changed.Select(column => $"{column.Name} = changed.{column.Name}"))}
            FROM unnest({Placeholders(names.Length)}) AS changed({string.Join(", ", names)})
            WHERE {string.Join(" AND ", _key.Select(column => $"row.{column.Name} = changed.{column.Name}"))}{(_version is null ? "" : $" AND row.{_version.Name} = changed.expected_version")}
            """);
        foreach (var column in _key.Concat(changed))
            command.Parameters.Add(column.Values(entries));
        if (_version is not null)
            command.Parameters.Add(_version.OriginalValues(entries));
        return command;
    }

    private static string Placeholders(int count) => string.Join(", ", Enumerable.Range(1, count).Select(number => $"${number}"));

    /// <summary>A column, and how its values get into an array parameter.</summary>
    private sealed class Column
    {
        private readonly Type _elementType;
        private readonly Func<object?, object?>? _convert;
        private readonly string _arrayType;
        private readonly IClrPropertyGetter _getter;

        public Column(IProperty property, string name)
        {
            Property = property;
            Name = name;
            var mapping = property.GetRelationalTypeMapping();
            _convert = mapping.Converter?.ConvertToProvider;
            var type = mapping.Converter?.ProviderClrType ?? property.ClrType;
            type = Nullable.GetUnderlyingType(type) ?? type;
            _elementType = property.IsNullable && type.IsValueType ? typeof(Nullable<>).MakeGenericType(type) : type;
            _arrayType = mapping.StoreTypeNameBase + "[]";
            _getter = property.GetGetter();
        }

        public IProperty Property { get; }

        /// <summary>Quoted.</summary>
        public string Name { get; }

        public NpgsqlParameter Values(List<EntityEntry> entries) => Values(entries, entry => _getter.GetClrValue(entry.Entity));

        public NpgsqlParameter OriginalValues(List<EntityEntry> entries) => Values(entries, entry => entry.Property(Property).OriginalValue);

        private NpgsqlParameter Values(List<EntityEntry> entries, Func<EntityEntry, object?> valueOf)
        {
            var values = Array.CreateInstance(_elementType, entries.Count);
            for (var i = 0; i < entries.Count; i++)
            {
                var value = valueOf(entries[i]);
                values.SetValue(value is null || _convert is null ? value : _convert(value), i);
            }
            return new NpgsqlParameter { Value = values, DataTypeName = _arrayType };
        }
    }
}
