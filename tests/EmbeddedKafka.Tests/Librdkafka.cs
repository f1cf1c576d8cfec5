using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

/// <summary>Lets Confluent.Kafka find the system's librdkafka where NuGet's is not used (see LeafReferences.targets).</summary>
internal static class Librdkafka
{
    [ModuleInitializer]
    internal static void Resolve() => NativeLibrary.SetDllImportResolver(typeof(Message<,>).Assembly, static (name, assembly, path) =>
        NativeLibrary.TryLoad(name, assembly, path, out var library) || (name == "librdkafka" && NativeLibrary.TryLoad("librdkafka.so.1", out library)) ? library : 0);
}
