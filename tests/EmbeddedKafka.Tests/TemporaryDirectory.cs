namespace Shop.KafkaBroker.Tests;

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("embedded-kafka-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
