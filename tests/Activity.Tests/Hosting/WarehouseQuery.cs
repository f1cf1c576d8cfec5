using DuckDB.NET.Data;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Tests.Hosting;

/// <summary>Asks a warehouse's folder as anybody does who has DuckDB.</summary>
public sealed class WarehouseQuery : IDisposable
{
    private readonly string _folder;
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");

    public WarehouseQuery(string folder)
    {
        _folder = folder;
        _connection.Open();
    }

    /// <summary>The files that are there.</summary>
    public IReadOnlyList<WarehouseFile> Files() => !Directory.Exists(_folder) ? [] :
        WarehouseFile.Current(Directory.EnumerateDirectories(_folder, "topic=*").SelectMany(topic => Directory.EnumerateFiles(topic, "*.parquet", SearchOption.AllDirectories)).Select(WarehouseFile.Parse).OfType<WarehouseFile>());

    /// <summary>The records that are in files.</summary>
    public long Records() => Files().Sum(file => file.Last - file.First + 1);

    /// <summary>The only column's values, over views of what is there now.</summary>
    public IReadOnlyList<string> Read(string sql)
    {
        using var views = _connection.CreateCommand();
        views.CommandText = DuckDbViews.Of(Files().ToLookup(file => file.Topic, file => Path.Combine(_folder, file.Path)));
        views.ExecuteNonQuery();
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var values = new List<string>();
        while (reader.Read())
            values.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "null" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return values;
    }

    public void Dispose() => _connection.Dispose();
}
