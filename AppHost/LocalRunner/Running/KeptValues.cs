using System.Text.Json;

namespace Shop.LocalRunner.Running;

/// <summary>Names and values kept in a file that only its owner may read: passwords, keys, ports.</summary>
internal sealed class KeptValues
{
    private readonly string _file;
    private readonly Dictionary<string, string> _values;

    /// <summary>Reads the file, if it is there.</summary>
    /// <exception cref="JsonException">It is no JSON object of strings.</exception>
    public KeptValues(string file)
    {
        _file = file;
        _values = File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllText(file), RunnerJson.Default.DictionaryStringString) ?? [] : [];
    }

    /// <summary>The value kept, if it is still usable; else a new one, which is kept from now on.</summary>
    public string Get(string name, Func<string> create, Func<string, bool>? usable = null)
    {
        if (_values.TryGetValue(name, out var value) && usable?.Invoke(value) is not false) return value;
        _values[name] = create();
        Save();
        return _values[name];
    }

    private void Save()
    {
        var temporary = _file + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var stream = new FileStream(temporary, options)) JsonSerializer.Serialize(stream, _values, RunnerJson.Default.DictionaryStringString);
        File.Move(temporary, _file, overwrite: true);
    }
}
