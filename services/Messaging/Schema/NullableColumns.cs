using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Reads columns that may have no value.</summary>
public static class NullableColumns
{
    /// <summary>A text, or null.</summary>
    public static string? TextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>Bytes, or null.</summary>
    public static byte[]? BytesOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<byte[]>(column);

    /// <summary>A value of another type, or null.</summary>
    public static T? ValueOrNull<T>(this NpgsqlDataReader reader, int column) where T : struct => reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);
}
