using System.Security.Cryptography;
using System.Text.Json;

namespace Shop.AppHost.Running;

/// <summary>Ports and secrets of a shop, each kept in a file of its data directory that only its owner may read: the next run has the same.</summary>
/// <param name="data">The shop's data directory.</param>
internal sealed class KeptValues(string data)
{
    /// <summary>A free port: the one that the part had before, unless somebody else has it by now.</summary>
    public int Port(string name) => int.Parse(Get("ports.json", name, () => $"{Ports.Free()}", kept => Ports.IsFree(int.Parse(kept))));

    /// <summary>A random secret of hexadecimal digits.</summary>
    public string Secret(string name, int length = 48) => Get("secrets.json", name, () => RandomNumberGenerator.GetHexString(length, lowercase: true), _ => true);

    /// <summary>A key pair on the curve P-256, in base64: SubjectPublicKeyInfo and PKCS #8.</summary>
    public (string Public, string Private) KeyPair(string name)
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var kept = Get("secrets.json", name, () => Convert.ToBase64String(key.ExportPkcs8PrivateKey()), _ => true);
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(kept), out _);
        return (Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), kept);
    }

    private string Get(string name, string key, Func<string> create, Func<string, bool> usable)
    {
        var file = Path.Combine(data, name);
        var values = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [] : [];
        if (values.TryGetValue(key, out var kept) && usable(kept)) return kept;
        values[key] = create();
        // a new file beside it: a full disk, or a crash, leaves the old one whole
        File.Delete(file + ".new");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (var stream = new FileStream(file + ".new", options)) JsonSerializer.Serialize(stream, values);
        File.Move(file + ".new", file, overwrite: true);
        return values[key];
    }
}
