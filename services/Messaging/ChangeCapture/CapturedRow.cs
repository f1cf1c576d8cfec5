using System.Globalization;

namespace Shop.Messaging.ChangeCapture;

/// <summary>A row as the database tells it, its values as text.</summary>
/// <param name="columns">The columns' names; generated ones are not told of.</param>
/// <param name="values">Their values, as PostgreSQL writes them; null for NULL.</param>
public sealed class CapturedRow(IReadOnlyList<string> columns, IReadOnlyList<string?> values)
{
    /// <summary>The value of a column; null for NULL.</summary>
    /// <exception cref="KeyNotFoundException">The table has no such column.</exception>
    public string? this[string column]
    {
        get
        {
            for (var i = 0; i < columns.Count; i++)
            {
                if (columns[i] == column)
                    return values[i];
            }
            throw new KeyNotFoundException($"The table has no column {column}");
        }
    }

    /// <summary>A text that is not NULL.</summary>
    /// <exception cref="FormatException">It is NULL.</exception>
    public string Text(string column) => this[column] ?? throw new FormatException($"{column} is NULL");

    /// <summary>A number that is not NULL.</summary>
    /// <exception cref="FormatException">It is NULL, or no number that fits.</exception>
    public decimal Number(string column) => decimal.Parse(Text(column), NumberStyles.Number, CultureInfo.InvariantCulture);
}
