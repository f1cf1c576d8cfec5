using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Shop.Messaging.Sagas;

/// <summary>
/// Writes a batch's sagas set-based: one INSERT and one UPDATE over arrays, where EF Core would send a statement a row. The
/// values, converters and column names are those of EF Core's model.
/// </summary>
internal sealed class SagaTable
{
    private static readonly ConcurrentDictionary<IEntityType, SagaTable?> Tables = new();

    private readonly IEntityType _entity;
    private readonly string _name;
    private readonly Column[] _columns;
    private readonly Column _key;
    private readonly Column? _version;

    private SagaTable(IEntityType entity)
    {
        _entity = entity;
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        _name = entity.GetSchema() is { } schema ? $"\"{schema}\".\"{table.Name}\"" : $"\"{table.Name}\"";
        _columns = [.. entity.GetProperties().Select(property => new Column(property, $"\"{property.GetColumnName(table)}\""))];
        _key = _columns.Single(column => column.Property.IsPrimaryKey());
        _version = Array.Find(_columns, column => column.Property.IsConcurrencyToken);
    }

    /// <summary>The table of a saga, or null where only EF Core can write it: relations, inheritance, generated or array columns.</summary>
    public static SagaTable? Of(MessagingDbContext db, Type saga) => Tables.GetOrAdd(db.Model.FindEntityType(saga)!, entity => IsPlain(entity) ? new(entity) : null);

    /// <summary>Writes what was added and changed in the batch's transaction; EF Core then has nothing left to write of it.</summary>
    /// <exception cref="DbUpdateConcurrencyException">An instance was changed by somebody else since it was loaded.</exception>
    public async Task WriteAsync(MessagingDbContext db, CancellationToken cancellationToken)
    {
        List<EntityEntry> added = [], modified = [];
        foreach (var entry in db.ChangeTracker.Entries())
        {
            if (entry.Metadata != _entity)
                continue;
            if (entry.State == EntityState.Added)
                added.Add(entry);
            else if (entry.State == EntityState.Modified)
                modified.Add(entry);
        }
        if (added.Count + modified.Count == 0)
            return;
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        if (added.Count > 0)
            batch.BatchCommands.Add(Insert(added));
        if (modified.Count > 0)
            batch.BatchCommands.Add(Update(modified));
        var written = await batch.ExecuteNonQueryAsync(cancellationToken);
        if (written != added.Count + modified.Count)
            throw new DbUpdateConcurrencyException($"{added.Count + modified.Count - written} instances of {_entity.ShortName()} were changed by somebody else");
        foreach (var entry in added)
            entry.State = EntityState.Unchanged;
        foreach (var entry in modified)
            entry.State = EntityState.Unchanged;
    }

    private static bool IsPlain(IEntityType entity) =>
        entity.FindPrimaryKey() is { Properties.Count: 1 } && entity.BaseType is null && !entity.GetDirectlyDerivedTypes().Any()
        && !entity.GetForeignKeys().Any() && !entity.GetNavigations().Any() && !entity.GetComplexProperties().Any()
        && entity.GetProperties().Count(property => property.IsConcurrencyToken) <= 1
        && entity.GetProperties().All(property => property.ValueGenerated == ValueGenerated.Never && property.GetRelationalTypeMapping().ElementTypeMapping is null);

    private NpgsqlBatchCommand Insert(List<EntityEntry> entries)
    {
        var names = string.Join(", ", _columns.Select(column => column.Name));
        var command = new NpgsqlBatchCommand($"INSERT INTO {_name} ({names}) SELECT * FROM unnest({Placeholders(_columns.Length)})");
        foreach (var column in _columns)
            command.Parameters.Add(column.Values(entries, original: false));
        return command;
    }

    /// <summary>Only the columns that some instance of the batch has changed: the others may be large.</summary>
    private NpgsqlBatchCommand Update(List<EntityEntry> entries)
    {
        var changed = Array.FindAll(_columns, column => entries.Exists(entry => entry.Property(column.Property).IsModified));
        var names = string.Join(", ", changed.Select(column => column.Name));
        var sets = string.Join(", ", changed.Select(column => $"{column.Name} = changed.{column.Name}"));
        var guarded = _version is null ? "" : $" AND saga.{_version.Name} = changed.expected_version";
        var command = new NpgsqlBatchCommand($"""
            UPDATE {_name} AS saga SET {sets}
            FROM unnest({Placeholders(changed.Length + (_version is null ? 1 : 2))}) AS changed(instance_key, {names}{(_version is null ? "" : ", expected_version")})
            WHERE saga.{_key.Name} = changed.instance_key{guarded}
            """);
        command.Parameters.Add(_key.Values(entries, original: false));
        foreach (var column in changed)
            command.Parameters.Add(column.Values(entries, original: false));
        if (_version is not null)
            command.Parameters.Add(_version.Values(entries, original: true));
        return command;
    }

    private static string Placeholders(int count) => string.Join(", ", Enumerable.Range(1, count).Select(number => $"${number}"));

    /// <summary>A column, and how its values get into an array parameter.</summary>
    private sealed class Column
    {
        private readonly Type _elementType;
        private readonly Func<object?, object?>? _convert;
        private readonly string _arrayType;

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
        }

        public IProperty Property { get; }

        /// <summary>Quoted.</summary>
        public string Name { get; }

        public NpgsqlParameter Values(List<EntityEntry> entries, bool original)
        {
            var values = Array.CreateInstance(_elementType, entries.Count);
            for (var i = 0; i < entries.Count; i++)
            {
                var value = original ? entries[i].Property(Property).OriginalValue : entries[i].Property(Property).CurrentValue;
                values.SetValue(value is null || _convert is null ? value : _convert(value), i);
            }
            return new NpgsqlParameter { Value = values, DataTypeName = _arrayType };
        }
    }
}
