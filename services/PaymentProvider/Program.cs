using Shop.PaymentProvider;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
// like a real provider it knows nothing of the shop's tokens; it listens on the loopback address only
builder.AddServiceDefaults(authentication: false);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ProviderJson.Default));
builder.Services.AddSingleton(services => Ledger.Open(
    builder.Configuration["Ledger:Directory"] ?? throw new InvalidOperationException("Set Ledger__Directory: where the ledger is kept."),
    services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<Ledger>>()));
builder.Services.AddHostedService(services => services.GetRequiredService<Ledger>());
builder.Services.AddSingleton<PaymentBook>();
builder.Services.AddSingleton<ProviderPace>();
builder.Services.AddOptions<FaultOptions>().BindConfiguration("Faults").ValidateDataAnnotations().ValidateOnStart();

var app = builder.Build();
app.MapServiceDefaults();
app.MapPayments();
app.Run();
