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
    public IReadOnlyList<WarehouseFile> Files() => WarehouseFile.Current(WarehouseFile.In(_folder));

    /// <summary>The records of tests that are in files: not what the service itself writes to its log.</summary>
    public long Records() => Files().Where(file => file.Topic != Shop.Contracts.Topics.Logs.Name && file.Topic != Shop.Contracts.Topics.Alarms.Name).Sum(file => file.Last - file.First + 1);

    /// <summary>The rows, columns with spaces between them, over views of what is there now.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(string sql)
    {
        using var access = await WarehouseAccess.ReadAsync(_folder, TestContext.Current.CancellationToken);
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
