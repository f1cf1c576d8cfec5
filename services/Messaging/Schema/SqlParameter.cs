using Npgsql;
using NpgsqlTypes;

namespace Shop.Messaging.Schema;

/// <summary>Parameters of SQL commands, with their types: nothing is boxed, and PostgreSQL need not guess what a null is one of.</summary>
public static class SqlParameter
{
    /// <summary>A value; its .NET type says which of PostgreSQL's it is.</summary>
    public static NpgsqlParameter Of<T>(T value) where T : notnull => new NpgsqlParameter<T> { TypedValue = value };

    /// <summary>A value of a type that .NET has no type of its own for, such as <see cref="NpgsqlDbType.Jsonb"/>, or one that may be missing.</summary>
    public static NpgsqlParameter Of(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    /// <summary>A column of many rows, for <c>unnest</c>.</summary>
    public static NpgsqlParameter Column<TRow, TValue>(IReadOnlyList<TRow> rows, NpgsqlDbType type, Func<TRow, TValue> column)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(rows[i]);
        return new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }
}
