using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Shop.Cli.Events;
using Spectre.Console;

namespace Shop.Cli.Query;

/// <summary>Writes what a query gives.</summary>
internal static class QueryOutput
{
    /// <summary>A table for people; as wide as the terminal, and as wide as it is where nobody looks at it.</summary>
    public static void WriteTable(DbDataReader rows, TextWriter output)
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = Console.IsOutputRedirected ? 10_000 : Math.Max(40, Console.WindowWidth);
        var table = new Table { Border = TableBorder.Simple };
        for (var i = 0; i < rows.FieldCount; i++)
            table.AddColumn(new TableColumn(Markup.Escape(rows.GetName(i))) { Alignment = IsNumber(rows.GetFieldType(i)) ? Justify.Right : Justify.Left });
        var count = 0;
        for (; rows.Read(); count++)
            table.AddRow([.. Enumerable.Range(0, rows.FieldCount).Select(i => new Text(Legible.Cell((TextOf(ValueOf(rows, i)) ?? "").ReplaceLineEndings("\n"))))]);
        console.Write(table);
        output.WriteLine(count == 1 ? "1 row" : $"{count} rows");
        output.Flush();
    }

    /// <summary>One JSON object a line.</summary>
    public static void WriteJson(DbDataReader rows, TextWriter output)
    {
        using var buffer = new MemoryStream();
        while (rows.Read())
        {
            buffer.SetLength(0);
            using (var json = new Utf8JsonWriter(buffer, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                json.WriteStartObject();
                for (var i = 0; i < rows.FieldCount; i++)
                {
                    json.WritePropertyName(rows.GetName(i));
                    WriteValue(json, ValueOf(rows, i));
                }
                json.WriteEndObject();
            }
            output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
        }
        output.Flush();
    }

    /// <summary>Comma-separated values with a header. Source: RFC 4180, with lines that end as text does here.</summary>
    public static void WriteCsv(DbDataReader rows, TextWriter output)
    {
        output.WriteLine(string.Join(',', Enumerable.Range(0, rows.FieldCount).Select(i => Quoted(rows.GetName(i)))));
        while (rows.Read())
            output.WriteLine(string.Join(',', Enumerable.Range(0, rows.FieldCount).Select(i => Quoted(TextOf(ValueOf(rows, i)) ?? ""))));
        output.Flush();
    }

    private static object? ValueOf(DbDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetValue(column);

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool yes: json.WriteBooleanValue(yes); break;
            case double or float when !double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)): json.WriteNullValue(); break;
            case sbyte or byte or short or ushort or int or uint or long or ulong or System.Numerics.BigInteger or decimal or double or float:
                json.WriteRawValue(TextOf(value)!);
                break;
            default: json.WriteStringValue(TextOf(value)); break;
        }
    }

    private static string? TextOf(object? value) => value switch
    {
        null => null,
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        string text => text,
        System.Collections.IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(TextOf))}]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static bool IsNumber(Type type) => type == typeof(System.Numerics.BigInteger) || Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.Decimal;
}
